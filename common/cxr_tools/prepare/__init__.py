"""Make, check and merge datalists: ``python -m cxr_tools.prepare --help``."""
