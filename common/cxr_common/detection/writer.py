"""What a detector's run writes: findings.json, overlays, and its boxes in other formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from cxr_common.boxes import box_area, xyxy_to_xywh
from cxr_common.errors import InputError
from cxr_common.files import write_json
from cxr_common.findings.findings_writer import FindingsWriter
from cxr_common.findings.mask_writers import MaskWriter
from cxr_common.findings.thresholds import Thresholds


class RunWriter(Protocol):
    """Writes one file of a whole run.

    Attributes:
        file: its name.
    """

    file: str

    def write(self, record: Mapping[str, Any], path: Path) -> None:
        """Write the content of findings.json, as docs/findings.md describes it, in another format."""


class CocoBoxes:
    """The boxes of a run as one COCO file: images, categories, and annotations with a score.

    A box is left, top, width, height in pixels of the original; ids count from 1, categories in the order of the
    labels. It is a data set and a result file in one: ``annotations`` alone is what COCO's tools load as results.

    Args:
        file: its name.
    """

    def __init__(self, file: str = "boxes_coco.json") -> None:
        self.file = file

    def write(self, record: Mapping[str, Any], path: Path) -> None:
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
        write_json({"info": info, "images": images, "categories": categories, "annotations": annotations}, path)


class DetectionWriter(FindingsWriter):
    """:class:`FindingsWriter` for boxes: no heatmaps, no masks, and files of a whole run besides.

    Runs after :class:`~cxr_common.detection.DetectFindingsd`.

    Args:
        output_dir: see :class:`FindingsWriter`, as the other arguments.
        thresholds: see there.
        bundle: see there.
        version: see there.
        run_writers: formats of the whole run; None is COCO alone.
        case_writers: formats of single images, with a :class:`~cxr_common.findings.MaskWriter`'s three members; they
            get no masks.
        kwargs: of :class:`FindingsWriter`.

    Raises:
        InputError: two writers would write the same file.
    """

    required_kinds = frozenset()
    has_heatmap = False

    def __init__(
        self,
        output_dir: str | Path,
        thresholds: Thresholds,
        bundle: str,
        version: str,
        run_writers: Sequence[RunWriter] | None = None,
        case_writers: Sequence[MaskWriter] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(output_dir, thresholds, bundle, version, mask_writers=case_writers, **kwargs)
        self.run_writers = (CocoBoxes(),) if run_writers is None else tuple(run_writers)
        files = [writer.file for writer in self.run_writers]
        if len({*files, "findings.json"}) <= len(files):
            raise InputError("run writers write the same file", "run_writers", "give each a name of its own")

    def write_record(self) -> dict[str, Any]:
        """Write findings.json, then the other formats of it, and return its content."""
        record = super().write_record()
        for writer in self.run_writers:
            writer.write(record, self.output_dir / writer.file)
        return record
