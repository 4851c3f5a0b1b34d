"""Losses on logit maps, and of the inter-pixel relation network."""

from cxr_common.losses.image_label import POLICIES, ImageLabelLoss, apply_label_policy, positive_weights
from cxr_common.losses.inter_pixel import InterPixelLoss, InterPixelLosses, inter_pixel_losses

__all__ = [
    "POLICIES",
    "ImageLabelLoss",
    "InterPixelLoss",
    "InterPixelLosses",
    "apply_label_policy",
    "inter_pixel_losses",
    "positive_weights",
]
