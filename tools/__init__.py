"""Command line over `cxr_common`."""
