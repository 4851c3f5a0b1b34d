"""Saliency of classifiers: CAM, Grad-CAM, Grad-CAM++ and LayerCAM as heatmaps, and published rules for masks."""

from cxr_common.saliency.gradients import LayerGradients, layer_gradients
from cxr_common.saliency.inferer import SaliencyInferer, saliency_logits
from cxr_common.saliency.masks import label_above_background, otsu_masks
from cxr_common.saliency.methods import (
    METHODS,
    Cam,
    GradCam,
    GradCamPlusPlus,
    GradientMethod,
    LayerCam,
    SaliencyMethod,
    make_method,
)
from cxr_common.saliency.mirrored import MirroredInferer

__all__ = [
    "METHODS",
    "Cam",
    "GradCam",
    "GradCamPlusPlus",
    "GradientMethod",
    "LayerCam",
    "LayerGradients",
    "MirroredInferer",
    "SaliencyInferer",
    "SaliencyMethod",
    "label_above_background",
    "layer_gradients",
    "make_method",
    "otsu_masks",
    "saliency_logits",
]
