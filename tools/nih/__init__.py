"""Experiments on NIH's radiographs: localisers from image labels, and detectors from a split of the boxed images."""
