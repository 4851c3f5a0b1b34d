"""MONAI dictionary transforms."""

from cxr_common.transforms.augmentation import RandBrightnessContrastd, RandResizedCropd
from cxr_common.transforms.boxes import EncodeBoxesd
from cxr_common.transforms.findings import LocalizeFindingsd
from cxr_common.transforms.labels import EncodeLabeld
from cxr_common.transforms.load import LoadRadiograph, LoadRadiographd

__all__ = [
    "EncodeBoxesd",
    "EncodeLabeld",
    "LoadRadiograph",
    "LoadRadiographd",
    "LocalizeFindingsd",
    "RandBrightnessContrastd",
    "RandResizedCropd",
]
