"""MONAI dictionary transforms."""

from cxr_common.transforms.findings import LocalizeFindingsd
from cxr_common.transforms.labels import EncodeLabeld

__all__ = [
    "EncodeLabeld",
    "LocalizeFindingsd",
]
