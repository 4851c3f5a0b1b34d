"""From a published IRN checkpoint to our network.

Key layout read in github.com/jiwoon-ahn/irn at a2ece00 (MIT); CheXseg and WSMIS use the same network.
"""

from __future__ import annotations

import re

import torch

from cxr_common.axes import transpose_kernels
from cxr_common.errors import InputError
from cxr_common.networks.pretrained import convert_backbone, resnet_name
from cxr_common.networks.weights import check_keys
from cxr_common.refinement.network import InterPixelRelationNetwork

_BACKBONE = "resnet50."
_RULES = (
    (re.compile(r"^fc_edge([1-5])\.([01])\.(.+)$"), lambda m: f"boundary.{int(m[1]) - 1}.{m[2]}.{m[3]}"),
    (re.compile(r"^fc_edge6\.(.+)$"), lambda m: f"boundary_head.{m[1]}"),
    (re.compile(r"^fc_dp([1-5])\.([01])\.(.+)$"), lambda m: f"displacement.{int(m[1]) - 1}.{m[2]}.{m[3]}"),
    (re.compile(r"^fc_dp6\.([01])\.(.+)$"), lambda m: f"displacement_deep.{m[1]}.{m[2]}"),
    (re.compile(r"^fc_dp7\.([01])\.(.+)$"), lambda m: f"displacement_head.0.{m[1]}.{m[2]}"),
    (re.compile(r"^fc_dp7\.3\.(.+)$"), lambda m: f"displacement_head.1.{m[1]}"),
    (re.compile(r"^mean_shift\.running_mean$"), lambda m: "mean_shift"),
)
#: The published module registers its parts once more under these names; the tensors are the same.
_ALIASES = re.compile(r"^(stage[1-5]|backbone|edge_layers|dp_layers)\.|^fc_dp7\.4\.")


def from_published_irn(state_dict: dict[str, torch.Tensor]) -> InterPixelRelationNetwork:
    """Build our network from a published IRN state dict.

    The published displacement is (row, column), ours (x, y): its last convolution's outputs and the mean shift change
    places, and all kernels are transposed.

    Args:
        state_dict: the content of a published ``res50_irn.pth``.

    Returns:
        The network in eval mode, in the dtype of the checkpoint.

    Raises:
        InputError: when keys are unknown, missing or of the wrong shape; one error names them.
    """
    cleaned = {k.removeprefix("module."): v for k, v in state_dict.items()}
    stem = cleaned.get(f"{_BACKBONE}conv1.weight")
    if stem is None:
        action = "pass the state dict of a trained IRN, which has resnet50.*, fc_edge* and fc_dp*"
        raise InputError("not an IRN checkpoint: resnet50.conv1.weight is missing", action=action)
    encoder = {k.removeprefix(_BACKBONE): v for k, v in cleaned.items() if k.startswith(_BACKBONE)}
    network = InterPixelRelationNetwork(resnet_name(set(encoder)), in_channels=stem.shape[1])
    state = {f"backbone.{k}": v for k, v in convert_backbone(encoder, stem.shape[1]).items()}
    heads = {}
    for key, value in cleaned.items():
        if key.startswith(_BACKBONE) or _ALIASES.match(key):
            continue
        matches = (rename(match) for pattern, rename in _RULES if (match := pattern.match(key)))
        heads[next(matches, key)] = value
    for key in ("mean_shift", "displacement_head.1.weight"):
        if key in heads:
            heads[key] = heads[key].flip(0)
    state |= transpose_kernels(heads)
    check_keys(state, network.state_dict(), "published IRN checkpoint")
    network.to(stem.dtype)
    network.load_state_dict(state, strict=True)
    return network.eval()
