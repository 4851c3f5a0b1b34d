"""What a datalist holds, in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cxr_common.data.datalist_schema import SECTIONS, SPLITS


def summarize(data: Mapping[str, Any]) -> str:
    """Count images, patients, label values, boxes and masks of each section.

    Args:
        data: a sound datalist.

    Returns:
        Lines of text: one per section, then one per label with present / absent / uncertain / unknown in each section.
    """
    lines = []
    shown = [section for section in SECTIONS if section in SPLITS or section in data]
    for section in shown:
        items = data.get(section, [])
        patients = {str(item["patient"]) for item in items if item.get("patient") is not None}
        boxed = [item for item in items if "boxes" in item]
        lines.append(
            f"{section:<{max(map(len, shown)) + 1}} {len(items)} images, {len(patients)} patients, "
            f"{sum(len(item['boxes']) for item in boxed)} boxes on {len(boxed)} images annotated with boxes, "
            f"{sum('mask' in item for item in items)} images with masks"
        )
    width = max(len(name) for name in data["labels"])
    lines.append(f"{'':<{width}}  present / absent / uncertain / unknown in {', '.join(shown)}")
    for i, name in enumerate(data["labels"]):
        cells = []
        for section in shown:
            values = [item["label"][i] if "label" in item else None for item in data.get(section, [])]
            cells.append(" / ".join(str(values.count(value)) for value in (1, 0, -1, None)))
        lines.append(f"{name:<{width}}  " + "   ".join(f"{cell:<22}" for cell in cells).rstrip())
    return "\n".join(lines)
