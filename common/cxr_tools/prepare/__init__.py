"""Make, check and merge datalists: ``cxr prepare --help``."""
