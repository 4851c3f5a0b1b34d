"""Losses on logit maps."""

from cxr_common.losses.image_label import POLICIES, ImageLabelLoss, apply_label_policy, positive_weights

__all__ = ["POLICIES", "ImageLabelLoss", "apply_label_policy", "positive_weights"]
