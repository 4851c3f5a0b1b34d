"""From image-level labels to a segmenter, by the bundles' own workflows."""
