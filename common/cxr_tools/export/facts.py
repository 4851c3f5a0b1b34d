"""What an exported file says of itself."""

from __future__ import annotations

import json
from typing import Any

import torch

import cxr_common
from cxr_common.loading import LoadedBundle
from cxr_verify.probes.model import spatial_sizes

#: What each output is. N images of C classes; maps of x times y cells, the columns of the image first.
MEANINGS = {
    "heatmap": "(N, C, x, y), probability of a class at a cell",
    "logits": "(N, C), logit of a class in the image; its sigmoid is the probability that findings.json has",
    "boundary": "(N, 1, x, y), probability of a boundary at a cell",
    "displacement": "(N, 2, x, y), cells along x and y to the centre of the instance",
    "class_logits": "(N, A, C), logit of a class at an anchor",
    "box_deltas": "(N, A, 4), of an anchor's centre x, y and the logarithms of its sides, times 10, 10, 5, 5",
    "detections": "(N, K, 6), x0, y0, x1, y1 in pixels of the input, score, class; rows of class -1 are empty",
}


def multiple_of(bundle: LoadedBundle) -> int:
    """What both sides of an input must be a multiple of, by the bundle's metadata."""
    metadata = json.loads((bundle.folder / "configs" / "metadata.json").read_text(encoding="utf-8"))
    return spatial_sizes(metadata["network_data_format"]["inputs"]["image"]["spatial_shape"], 1, 1)[0]


def facts_of(bundle: LoadedBundle, outputs: tuple[str, ...]) -> dict[str, Any]:
    """What whoever runs the file must know: classes, how an image becomes the input, thresholds, what made it.

    Args:
        bundle: the bundle.
        outputs: names of the outputs, in order.
    """
    config = bundle.config.get_parsed_content
    side = f"{multiple_of(bundle)}*n"
    thresholds = config("thresholds")
    facts: dict[str, Any] = {
        "bundle": bundle.model.name,
        "version": bundle.model.version,
        "weights_sha256": bundle.model.weights_sha256,
        "classes": bundle.labels,
        "input": {
            "image": f"(N, 1, X, Y), X and Y of {side}; axis 2 is the column, axis 3 the row",
            "size": list(config("spatial_size")),
            "resize": "area",
            "values": "grey in [0, 1], bright where the body is dense; then (grey - intensity_mean) / intensity_std",
            "intensity_mean": config("intensity_mean"),
            "intensity_std": config("intensity_std"),
        },
        "outputs": {name: MEANINGS[name] for name in outputs},
        "thresholds": {"kind": thresholds.kind, **thresholds.as_dict()},
        "versions": {"cxr_common": cxr_common.__version__, "torch": str(torch.__version__)},
    }
    if "anchors" in bundle.config:
        anchors = config("anchors")
        facts["anchors"] = {"levels": list(anchors.levels), "cells": [cell.tolist() for cell in anchors.cells()]}
    return facts


def as_texts(facts: dict[str, Any]) -> dict[str, str]:
    """Facts as texts by name, JSON except for what is text already, as ONNX wants its metadata."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in facts.items()}
