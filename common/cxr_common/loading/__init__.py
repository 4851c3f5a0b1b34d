"""Bundles in Python: load one by name, folder or zip, and ask it about radiographs."""

from typing import TYPE_CHECKING

from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.loading.bundle import LoadedBundle, load
    from cxr_common.loading.locate import find_bundle

__all__ = ["LoadedBundle", "find_bundle", "load"]

# Whoever only looks for a bundle does not import torch.
__getattr__ = lazy_attributes(__name__, {"LoadedBundle": "bundle", "find_bundle": "locate", "load": "bundle"})
