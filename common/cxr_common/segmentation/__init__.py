"""Masks from experts and pseudo-masks: networks, losses, mixed supervision."""

from typing import TYPE_CHECKING

from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.segmentation.competing_loss import CompetingLoss, PictureTargets
    from cxr_common.segmentation.deeplab import DeepLabV3Plus
    from cxr_common.segmentation.distillation import DistillationLoss
    from cxr_common.segmentation.label_map_scoring import evaluate_segmented, segmented_label_maps
    from cxr_common.segmentation.load_label_maps import LoadLabelMapd, items_with_label_maps
    from cxr_common.segmentation.masked_bce_loss import MaskedBCELoss, masked_bce
    from cxr_common.segmentation.mixed_supervision import MixedSupervisionDataset
    from cxr_common.segmentation.soft_dice import SoftDiceLoss
    from cxr_common.segmentation.teacher_labels import TeacherLabels
    from cxr_common.segmentation.transforms import SegmentFindingsd
    from cxr_common.segmentation.unet import UNet

__all__ = [
    "CompetingLoss",
    "DeepLabV3Plus",
    "DistillationLoss",
    "LoadLabelMapd",
    "MaskedBCELoss",
    "MixedSupervisionDataset",
    "PictureTargets",
    "SegmentFindingsd",
    "SoftDiceLoss",
    "TeacherLabels",
    "UNet",
    "evaluate_segmented",
    "items_with_label_maps",
    "masked_bce",
    "segmented_label_maps",
]

# Whoever needs one part does not import the others.
__getattr__ = lazy_attributes(
    __name__,
    {
        "CompetingLoss": "competing_loss",
        "DeepLabV3Plus": "deeplab",
        "DistillationLoss": "distillation",
        "LoadLabelMapd": "load_label_maps",
        "MaskedBCELoss": "masked_bce_loss",
        "MixedSupervisionDataset": "mixed_supervision",
        "PictureTargets": "competing_loss",
        "SegmentFindingsd": "transforms",
        "SoftDiceLoss": "soft_dice",
        "TeacherLabels": "teacher_labels",
        "UNet": "unet",
        "evaluate_segmented": "label_map_scoring",
        "items_with_label_maps": "load_label_maps",
        "masked_bce": "masked_bce_loss",
        "segmented_label_maps": "label_map_scoring",
    },
)
