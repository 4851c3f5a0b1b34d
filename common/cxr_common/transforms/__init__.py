"""MONAI dictionary transforms."""

from cxr_common.transforms.augmentation import RandBrightnessContrastd, RandResizedCropd
from cxr_common.transforms.encode_boxes import EncodeBoxesd
from cxr_common.transforms.encode_labels import EncodeLabeld
from cxr_common.transforms.find_chest import FindChestd
from cxr_common.transforms.load import LoadRadiograph, LoadRadiographd
from cxr_common.transforms.load_masks import BinarizeMasksd, LoadMasksd
from cxr_common.transforms.localize import LocalizeFindingsd
from cxr_common.transforms.monai_label import MonaiLabelResultd

__all__ = [
    "BinarizeMasksd",
    "EncodeBoxesd",
    "EncodeLabeld",
    "FindChestd",
    "LoadMasksd",
    "LoadRadiograph",
    "LoadRadiographd",
    "LocalizeFindingsd",
    "MonaiLabelResultd",
    "RandBrightnessContrastd",
    "RandResizedCropd",
]
