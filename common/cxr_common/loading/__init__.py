"""Bundles in Python: load one by name, folder or zip, and ask it about radiographs."""

from cxr_common.loading.bundle import LoadedBundle, load
from cxr_common.loading.locate import find_bundle

__all__ = ["LoadedBundle", "find_bundle", "load"]
