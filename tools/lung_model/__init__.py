"""The segmenter bundle's lung model, which outlines chests for other tools: its data, training and scores."""
