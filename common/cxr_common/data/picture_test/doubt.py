"""One sentence of doubt about a picture, or none."""

from __future__ import annotations

import numpy as np
import torch

from cxr_common.data.picture_test.kind_network import KINDS, load_network
from cxr_common.data.picture_test.picture_rules import rule_doubt
from cxr_common.data.picture_test.thumbnail import standardised, thumbnail

#: How each doubt starts, in `warnings` and on the page.
DOUBT = "this may not be an upright frontal chest radiograph: "
#: What each kind but the first looks like.
LOOKS = {
    "upside down": "it looks upside down",
    "head left": "it looks turned by 90 degrees, the head to the left",
    "head right": "it looks turned by 90 degrees, the head to the right",
    "inverted": "its bright and dark look exchanged",
    "lateral": "it looks like a lateral view",
    "other": "it looks like another picture",
}


def doubt_of(picture: np.ndarray) -> str:
    """Say why a picture may not be an upright frontal chest radiograph.

    Args:
        picture: (rows, columns) in [0, 1], bright = dense.

    Returns:
        A sentence that starts with `DOUBT`, or "" where there is no doubt.
    """
    if reason := rule_doubt(picture):
        return DOUBT + reason
    network, threshold = load_network()
    with torch.inference_mode():
        return kind_doubt(kind_probabilities(network, thumbnail(picture)[None])[0], threshold)


def kind_doubt(chances: torch.Tensor, threshold: float) -> str:
    """The sentence for the probabilities (kinds,) of one picture, "" where "upright" reaches the threshold."""
    if chances[0] >= threshold:
        return ""
    return DOUBT + LOOKS[KINDS[1 + int(chances[1:].argmax())]]


def kind_probabilities(network: torch.nn.Module, thumbnails: torch.Tensor) -> torch.Tensor:
    """Probabilities (N, kinds) of thumbnails (N, rows, columns) in [0, 1]."""
    return network(standardised(thumbnails)[:, None]).softmax(1)
