"""Losses on logit maps, and of the inter-pixel relation network."""

from cxr_common.losses.alignment import (
    AlignedLabelLoss,
    aligned_logits,
    class_features,
    class_probability_maps,
    local_attention,
)
from cxr_common.losses.distillation import DistillationLoss
from cxr_common.losses.image_label import ImageLabelLoss, positive_weights
from cxr_common.losses.inter_pixel import InterPixelLoss, InterPixelLosses, inter_pixel_losses
from cxr_common.losses.masked_bce import MaskedBCELoss, masked_bce
from cxr_common.losses.place import LabelAndPlaceLoss, place_loss
from cxr_common.losses.soft_dice import SoftDiceLoss
from cxr_common.losses.soft_focal import SoftFocalLoss, soft_focal_terms

__all__ = [
    "AlignedLabelLoss",
    "DistillationLoss",
    "ImageLabelLoss",
    "InterPixelLoss",
    "InterPixelLosses",
    "LabelAndPlaceLoss",
    "MaskedBCELoss",
    "SoftDiceLoss",
    "SoftFocalLoss",
    "aligned_logits",
    "class_features",
    "class_probability_maps",
    "inter_pixel_losses",
    "local_attention",
    "masked_bce",
    "place_loss",
    "positive_weights",
    "soft_focal_terms",
]
