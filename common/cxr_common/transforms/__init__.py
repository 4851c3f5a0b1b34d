"""MONAI dictionary transforms."""

from cxr_common.transforms.labels import EncodeLabeld

__all__ = [
    "EncodeLabeld",
]
