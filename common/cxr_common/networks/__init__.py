"""Localisation networks: ``forward(image) -> logit map``, ``pool(map) -> class logits``."""

from cxr_common.networks.backbones import BACKBONES, DenseNetBackbone, ResNetBackbone, make_backbone
from cxr_common.networks.cam import CamClassifier
from cxr_common.networks.deeplab import DeepLabV3Plus
from cxr_common.networks.dropblock import DropBlock2d
from cxr_common.networks.irn import InterPixelRelationNetwork, relations
from cxr_common.networks.multiscale import MultiscaleClassifier
from cxr_common.networks.pooling import average_pool, log_sum_exp_pool, max_pool
from cxr_common.networks.pylon import Pylon
from cxr_common.networks.unet import UNet
from cxr_common.networks.weights import load_weights, save_weights, weights_sha256

__all__ = [
    "BACKBONES",
    "CamClassifier",
    "DeepLabV3Plus",
    "DenseNetBackbone",
    "DropBlock2d",
    "InterPixelRelationNetwork",
    "MultiscaleClassifier",
    "Pylon",
    "ResNetBackbone",
    "UNet",
    "average_pool",
    "load_weights",
    "log_sum_exp_pool",
    "make_backbone",
    "max_pool",
    "relations",
    "save_weights",
    "weights_sha256",
]
