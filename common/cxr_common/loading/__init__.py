"""Bundles in Python: load one by name, folder or zip, and ask it about radiographs."""

from cxr_common.loading.bundle import LoadedBundle, load

__all__ = ["LoadedBundle", "load"]
