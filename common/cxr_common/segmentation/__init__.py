"""Masks from experts and pseudo-masks: networks, losses, mixed supervision."""

from typing import TYPE_CHECKING

from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.segmentation.deeplab import DeepLabV3Plus
    from cxr_common.segmentation.distillation import DistillationLoss
    from cxr_common.segmentation.masked_bce_loss import MaskedBCELoss, masked_bce
    from cxr_common.segmentation.mixed_supervision import MixedSupervisionDataset
    from cxr_common.segmentation.soft_dice import SoftDiceLoss
    from cxr_common.segmentation.teacher_labels import TeacherLabels
    from cxr_common.segmentation.transforms import SegmentFindingsd
    from cxr_common.segmentation.unet import UNet

__all__ = [
    "DeepLabV3Plus",
    "DistillationLoss",
    "MaskedBCELoss",
    "MixedSupervisionDataset",
    "SegmentFindingsd",
    "SoftDiceLoss",
    "TeacherLabels",
    "UNet",
    "masked_bce",
]

# Whoever needs one part does not import the others.
__getattr__ = lazy_attributes(
    __name__,
    {
        "DeepLabV3Plus": "deeplab",
        "DistillationLoss": "distillation",
        "MaskedBCELoss": "masked_bce_loss",
        "MixedSupervisionDataset": "mixed_supervision",
        "SegmentFindingsd": "transforms",
        "SoftDiceLoss": "soft_dice",
        "TeacherLabels": "teacher_labels",
        "UNet": "unet",
        "masked_bce": "masked_bce_loss",
    },
)
