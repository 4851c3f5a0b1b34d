"""Make, check and merge datalists: ``python -m tools.prepare --help``."""
