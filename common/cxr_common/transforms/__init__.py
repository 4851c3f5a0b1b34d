"""MONAI dictionary transforms."""

from cxr_common.transforms.findings import LocalizeFindingsd
from cxr_common.transforms.labels import EncodeLabeld
from cxr_common.transforms.load import LoadRadiograph, LoadRadiographd

__all__ = [
    "EncodeLabeld",
    "LoadRadiograph",
    "LoadRadiographd",
    "LocalizeFindingsd",
]
