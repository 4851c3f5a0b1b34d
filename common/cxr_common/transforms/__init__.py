"""MONAI dictionary transforms."""

from cxr_common.transforms.augmentation import RandBrightnessContrastd, RandResizedCropd
from cxr_common.transforms.boxes import EncodeBoxesd
from cxr_common.transforms.detect import DetectFindingsd
from cxr_common.transforms.detection import EncodeBoxTargetsd
from cxr_common.transforms.findings import LocalizeFindingsd
from cxr_common.transforms.heatmap import CalibrateHeatmapd, LoadHeatmapd
from cxr_common.transforms.labels import EncodeLabeld
from cxr_common.transforms.load import LoadRadiograph, LoadRadiographd
from cxr_common.transforms.masks import BinarizeMasksd, LoadMasksd
from cxr_common.transforms.places import EncodePlacesd
from cxr_common.transforms.refinement import RefineHeatmapd
from cxr_common.transforms.relations import RelationLabelsd
from cxr_common.transforms.segmentation import SegmentFindingsd
from cxr_common.transforms.strong import strong_augmentation

__all__ = [
    "BinarizeMasksd",
    "CalibrateHeatmapd",
    "DetectFindingsd",
    "EncodeBoxTargetsd",
    "EncodeBoxesd",
    "EncodeLabeld",
    "EncodePlacesd",
    "LoadHeatmapd",
    "LoadMasksd",
    "LoadRadiograph",
    "LoadRadiographd",
    "LocalizeFindingsd",
    "RandBrightnessContrastd",
    "RandResizedCropd",
    "RefineHeatmapd",
    "RelationLabelsd",
    "SegmentFindingsd",
    "strong_augmentation",
]
