"""Heatmaps from image-level labels: PYLON, multiscale and class activation maps, saliency, their losses."""

from typing import TYPE_CHECKING

from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.localization.cam import CamClassifier
    from cxr_common.localization.dropblock import DropBlock2d
    from cxr_common.localization.image_label_loss import ImageLabelLoss, positive_weights
    from cxr_common.localization.label_and_place_loss import LabelAndPlaceLoss, place_loss
    from cxr_common.localization.multiscale import MultiscaleClassifier
    from cxr_common.localization.pcam import PcamClassifier
    from cxr_common.localization.places import EncodePlacesd
    from cxr_common.localization.published import from_published_pylon, pylon_settings
    from cxr_common.localization.pylon import Pylon
    from cxr_common.localization.relevance import TensorBoardRelevance, relevance_figure
    from cxr_common.localization.saliency.cam_masks import label_above_background, otsu_masks
    from cxr_common.localization.saliency.gradients import LayerGradients, layer_gradients
    from cxr_common.localization.saliency.methods import (
        METHODS,
        Cam,
        GradCam,
        GradCamPlusPlus,
        GradientMethod,
        LayerCam,
        SaliencyMethod,
        make_method,
    )
    from cxr_common.localization.saliency.mirrored import MirroredInferer
    from cxr_common.localization.saliency.saliency_inferer import SaliencyInferer, saliency_logits

__all__ = [
    "Cam",
    "CamClassifier",
    "DropBlock2d",
    "EncodePlacesd",
    "GradCam",
    "GradCamPlusPlus",
    "GradientMethod",
    "ImageLabelLoss",
    "LabelAndPlaceLoss",
    "LayerCam",
    "LayerGradients",
    "METHODS",
    "MirroredInferer",
    "MultiscaleClassifier",
    "PcamClassifier",
    "Pylon",
    "SaliencyInferer",
    "SaliencyMethod",
    "TensorBoardRelevance",
    "from_published_pylon",
    "label_above_background",
    "layer_gradients",
    "make_method",
    "otsu_masks",
    "place_loss",
    "positive_weights",
    "pylon_settings",
    "relevance_figure",
    "saliency_logits",
]

# Whoever needs one part does not import the others.
__getattr__ = lazy_attributes(
    __name__,
    {
        "Cam": "saliency.methods",
        "CamClassifier": "cam",
        "DropBlock2d": "dropblock",
        "EncodePlacesd": "places",
        "GradCam": "saliency.methods",
        "GradCamPlusPlus": "saliency.methods",
        "GradientMethod": "saliency.methods",
        "ImageLabelLoss": "image_label_loss",
        "LabelAndPlaceLoss": "label_and_place_loss",
        "LayerCam": "saliency.methods",
        "LayerGradients": "saliency.gradients",
        "METHODS": "saliency.methods",
        "MirroredInferer": "saliency.mirrored",
        "MultiscaleClassifier": "multiscale",
        "PcamClassifier": "pcam",
        "Pylon": "pylon",
        "SaliencyInferer": "saliency.saliency_inferer",
        "SaliencyMethod": "saliency.methods",
        "TensorBoardRelevance": "relevance",
        "from_published_pylon": "published",
        "label_above_background": "saliency.cam_masks",
        "layer_gradients": "saliency.gradients",
        "make_method": "saliency.methods",
        "otsu_masks": "saliency.cam_masks",
        "place_loss": "label_and_place_loss",
        "positive_weights": "image_label_loss",
        "pylon_settings": "published",
        "relevance_figure": "relevance",
        "saliency_logits": "saliency.saliency_inferer",
    },
)
