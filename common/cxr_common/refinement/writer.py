"""What a refinement run leaves: findings, boundary pictures, and a datalist of pseudo-masks for a segmenter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.data.datalist_io import write_datalist
from cxr_common.findings.findings_writer import FindingsWriter


class RefinementWriter(FindingsWriter):
    """A :class:`FindingsWriter` that also writes a boundary picture an image and, at the end, ``datalist.json``.

    The datalist has the images under `section` with their pseudo-masks: in ``mask`` every class the image was said to
    have or not to have (null: empty), and ``mask_origin`` pseudo. Paths are relative to the output folder.

    Args:
        boundary_key: where RefineHeatmapd put the boundary probabilities (x, y).
        label_key: where it put the image's labels, 1, 0, -1 or None (not annotated) a class.
        items: what the images came from; what they say besides, such as the patient, goes into the datalist.
        section: of the datalist that is written.
        options: those of FindingsWriter; `heatmap_key` is "refined" where it is not given.
    """

    more_files = {"boundary": "boundary.png"}

    def __init__(
        self,
        *args: Any,
        boundary_key: str = "boundary",
        label_key: str = "known",
        items: Sequence[Mapping[str, Any]] = (),
        section: str = "training",
        **options: Any,
    ) -> None:
        options.setdefault("heatmap_key", "refined")
        super().__init__(*args, **options)
        self.boundary_key, self.label_key, self.section = boundary_key, label_key, section
        passed_on = ("patient", "group", "view", "source")
        self._known = {str(Path(i["image"]).resolve()): {key: i[key] for key in passed_on if key in i} for i in items}
        self._labels: dict[str, list[int | None]] = {}

    def write_more(self, kind: str, item: Mapping[Any, Any], path: Path) -> None:
        """Write the boundary picture: white where the network sees a boundary, on its grid of stride 4."""
        boundary = tensor_to_picture(torch.as_tensor(item[self.boundary_key]).float().clamp(0, 1))
        Image.fromarray((255 * boundary.numpy()).round().astype(np.uint8)).save(path)
        values = [None if v is None or np.isnan(float(v)) else int(v) for v in item[self.label_key]]
        self._labels[path.name] = values

    def write_record(self) -> dict[str, Any]:
        """Write findings.json and datalist.json; returns the content of the first."""
        record = super().write_record()
        labels = list(self.thresholds.labels)
        items = []
        for image in record["images"]:
            files, values = image["files"], self._labels[image["files"]["boundary"]]
            masks = {c: None for c, value in zip(labels, values, strict=True) if value == 0} | files["masks"]
            path = ((self.names.root or Path()) / image["path"]).resolve()
            source = Path(os.path.relpath(path, self.output_dir.resolve())).as_posix()
            entry = {"image": source, "label": values, "mask": masks, "mask_origin": "pseudo"}
            items.append({**entry, "heatmap": files["heatmap"], **self._known.get(str(path), {})})
        content = {"labels": labels, self.section: items}
        write_datalist(content, self.output_dir / "datalist.json")
        return record
