"""Shared code of the chest X-ray bundle collection: weakly supervised localisation on MONAI."""

from cxr_common.lazy import lazy_attributes

__all__ = [
    "lazy_attributes",
]
