"""The checks, a family in a file. Their order here is the order in which they run."""

from . import files, metadata, configs, paths, safety, readme, network, weights, running, label, exports, hub, pure  # noqa: F401, I001
