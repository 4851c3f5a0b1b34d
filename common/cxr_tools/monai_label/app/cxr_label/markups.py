"""Boxes as 3D Slicer's markups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)


def markups(boxes: Sequence[tuple[Sequence[float], str]]) -> dict[str, Any]:
    """Regions of interest, one node per box.

    Args:
        boxes: centre and size in mm (LPS), six numbers, and the name to show.
    """
    return {"@schema": SCHEMA, "markups": [_node(list(box[:3]), list(box[3:]), name) for box, name in boxes]}


def _node(centre: list[float], size: list[float], name: str) -> dict[str, Any]:
    turn = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    point = {"id": "1", "label": name, "position": centre, "orientation": turn, "positionStatus": "defined"}
    return {
        "type": "ROI",
        "name": name,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "roiType": "Box",
        "center": centre,
        "orientation": turn,
        "size": size,
        "insideOut": False,
        "controlPoints": [point],
    }
