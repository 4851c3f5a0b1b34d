"""Localisation networks: ``forward(image) -> logit map``, ``pool(map) -> class logits``."""

from cxr_common.networks.backbones import BACKBONES, DenseNetBackbone, ResNetBackbone, make_backbone
from cxr_common.networks.pooling import average_pool, log_sum_exp_pool, max_pool
from cxr_common.networks.pretrained import load_backbone
from cxr_common.networks.weights import load_weights, save_weights, weights_sha256
from cxr_common.plain_inferer import PlainInferer

__all__ = [
    "BACKBONES",
    "DenseNetBackbone",
    "PlainInferer",
    "ResNetBackbone",
    "average_pool",
    "load_backbone",
    "load_weights",
    "log_sum_exp_pool",
    "make_backbone",
    "max_pool",
    "save_weights",
    "weights_sha256",
]
