"""What a refinement run writes besides findings: boundary pictures, and a datalist of pseudo-masks for a segmenter."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.data.datalist_io import write_datalist
from cxr_common.findings.case import Case
from cxr_common.findings.case_writer import CaseWriter, RunWriter

_PASSED_ON = ("patient", "group", "view", "source")


class BoundaryPng(CaseWriter):
    """The boundary picture: white where the network sees a boundary, on its grid of stride 4.

    Args:
        boundary_key: where RefineHeatmapd put the boundary probabilities (x, y).
    """

    kind = "boundary"

    def __init__(self, boundary_key: str = "boundary") -> None:
        self.boundary_key = boundary_key

    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """The one file."""
        return [f"{case}_boundary.png"]

    def write(self, case: Case, folder: Path) -> str:
        """Write the picture; returns its name."""
        (name,) = self.names(case.name, case.model.labels)
        boundary = tensor_to_picture(torch.as_tensor(case.item[self.boundary_key]).float().clamp(0, 1))
        Image.fromarray((255 * boundary.numpy()).round().astype(np.uint8)).save(folder / name)
        return name


class PseudoMaskDatalist(RunWriter):
    """``datalist.json``: the images with their pseudo-masks, for a segmenter to train on.

    ``mask`` has every class the image was said to have or not to have (null: empty), and ``mask_origin`` is pseudo.
    Paths are relative to the output folder.

    Args:
        label_key: where RefineHeatmapd put the image's labels, 1, 0, -1 or None (not annotated) for each class.
        items: what the images came from; what they say besides, such as the patient, goes into the datalist.
        section: of the datalist that is written.
    """

    file = "datalist.json"
    reads = frozenset({"heatmap", "masks"})

    def __init__(
        self, label_key: str = "known", items: Sequence[Mapping[str, Any]] = (), section: str = "training"
    ) -> None:
        self.label_key, self.section = label_key, section
        self._known = {str(Path(i["image"]).resolve()): {key: i[key] for key in _PASSED_ON if key in i} for i in items}
        self._seen: dict[str, tuple[Path, list[int | None]]] = {}

    def add(self, case: Case) -> Any:
        """Keep the labels of a case."""
        values = [None if v is None or np.isnan(float(v)) else int(v) for v in case.item[self.label_key]]
        note = [str(case.source.resolve()), values]
        self.restore(case.name, note)
        return note

    def restore(self, case: str, note: Any) -> None:
        """Keep the labels of a case that an earlier run looked at."""
        self._seen[case] = (Path(note[0]), note[1])

    def write(self, record: Mapping[str, Any], folder: Path) -> None:
        """Write the file."""
        labels = list(record["model"]["labels"])
        items = []
        for image in record["images"]:
            if image["case"] not in self._seen:  # of an earlier run, on a full disk: its labels are not known here
                continue
            files, (path, values) = image["files"], self._seen[image["case"]]
            masks = {c: None for c, value in zip(labels, values, strict=True) if value == 0} | files["masks"]
            source = Path(os.path.relpath(path, folder.resolve())).as_posix()
            entry = {"image": source, "label": values, "mask": masks, "mask_origin": "pseudo"}
            items.append({**entry, "heatmap": files["heatmap"], **self._known.get(str(path), {})})
        write_datalist({"labels": labels, self.section: items}, folder / self.file)
