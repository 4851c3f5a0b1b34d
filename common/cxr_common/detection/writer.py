"""What a detector's run writes besides the outputs that every bundle can have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr_common.boxes import box_area, xyxy_to_xywh
from cxr_common.files import write_json
from cxr_common.findings.case_writer import RunWriter


class CocoBoxes(RunWriter):
    """The boxes of a run as one COCO file: images, categories, and annotations with a score.

    A box is left, top, width, height in pixels of the original; ids count from 1, categories in the order of the
    labels. It is a data set and a result file in one: ``annotations`` alone is what COCO's tools load as results.

    Args:
        file: its name.
    """

    def __init__(self, file: str = "boxes_coco.json") -> None:
        self.file = file

    def write(self, record: Mapping[str, Any], folder: Path) -> None:
        """Write the file."""
        labels = record["model"]["labels"]
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number, image in enumerate(record["images"], 1):
            width, height = image["size"]
            images.append({"id": number, "file_name": image["path"], "width": width, "height": height})
            for finding in image["findings"]:
                for found in finding["boxes"]:
                    annotations.append(
                        {
                            "id": len(annotations) + 1,
                            "image_id": number,
                            "category_id": labels.index(finding["label"]) + 1,
                            "bbox": [round(float(value), 2) for value in xyxy_to_xywh(found["box"])],
                            "area": round(float(box_area([found["box"]])[0]), 2),
                            "iscrowd": 0,
                            "score": found["score"],
                        }
                    )
        categories = [{"id": number, "name": name} for number, name in enumerate(labels, 1)]
        info = {
            "description": record["notice"],
            "date_created": record["created"],
            "version": record["model"]["version"],
        }
        content = {"info": info, "images": images, "categories": categories, "annotations": annotations}
        write_json(content, folder / self.file)
