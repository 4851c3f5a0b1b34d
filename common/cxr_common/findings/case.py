"""One image of a run, decoded: what every writer of results is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.data import MetaTensor

from cxr_common.axes import affine_from_spacing
from cxr_common.data.kept_pictures import eight_bits
from cxr_common.data.orientation import IDENTITY
from cxr_common.errors import InputError
from cxr_common.findings.record_models import FindingRecord, ImageFindings
from cxr_common.json_files import check_record

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

_DEFECT = "report this as a defect"


@dataclass(frozen=True)
class RunModel:
    """The model of a run.

    Args:
        name: name of the bundle.
        version: its version.
        labels: class names in the order of the channels.
        weights_sha256: hash of its weights file; None where there is none.
        heatmaps: how its heatmaps were made, as a saliency method describes itself; else empty.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    weights_sha256: str | None = None
    heatmaps: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The content of `model` in findings.json, without thresholds."""
        known = {"name": self.name, "version": self.version, "weights_sha256": self.weights_sha256}
        return {**known, "labels": list(self.labels), **self.heatmaps}


@dataclass(frozen=True)
class Case:
    """One image, what was found on it, and by what.

    Pixels are those of the original image, upright: x to the right, y down (docs/reference/findings.md, Coordinates).

    Args:
        name: what the name of every file of this image starts with; no other image of the run has it.
        source: absolute path of the image.
        is_dicom: whether `source` is a DICOM file.
        stored_axes: how the upright image lies in the file: the code that :func:`cxr_common.data.to_stored` and
            :func:`cxr_common.data.boxes_to_stored` take to bring masks and boxes back to the rows and columns of it.
        affine: (4, 4) float64 of the upright image in mm, as NIfTI has it; with pixels of 1 mm where that is unknown.
        found: size, spacing, view, warnings, and the findings: one for each class, in the order of `model.labels`.
        heatmap: (C, X, Y) float probabilities at network resolution; None where the bundle makes none.
        masks: class -> bool (width, height), of the classes decided present, in the order of `model.labels`; empty
            where the bundle makes none.
        model: what found it.
        item: the whole item as it left the postprocessing, for what only one bundle has.
        read_picture: gives :attr:`picture`, in [0, 1] or as uint8.
    """

    name: str
    source: Path
    is_dicom: bool
    stored_axes: str
    affine: np.ndarray
    found: ImageFindings
    heatmap: np.ndarray | None
    masks: Mapping[str, np.ndarray]
    model: RunModel
    item: Mapping[Hashable, Any]
    read_picture: Callable[[], np.ndarray] = field(repr=False)

    @property
    def dicom(self) -> Path | None:
        """Path of the original DICOM file; None where the image is of another format."""
        return self.source if self.is_dicom else None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the original."""
        width, height = self.found.size
        return width, height

    @property
    def findings(self) -> list[FindingRecord]:
        """One finding for each class, in the order of `model.labels`."""
        return self.found.findings

    @property
    def present(self) -> list[FindingRecord]:
        """The findings decided present."""
        return [finding for finding in self.findings if finding.decision]

    @cached_property
    def picture(self) -> np.ndarray:
        """The radiograph (width, height) in [0, 1], bright = dense.

        At the original's size, but where a run is told to draw on the network's input (``read_picture`` null). A run
        keeps it in 256 greys from when the image was loaded, for outputs that need a picture. Else the file is read,
        once, when the first writer asks.

        Raises:
            InputError: the file can no longer be read, or changed since findings were looked for.
        """
        picture = self._picture
        return picture.astype(np.float32) / 255 if picture.dtype == np.uint8 else picture

    @cached_property
    def grey(self) -> np.ndarray:
        """The radiograph (width, height) in 256 greys, uint8, for drawing; else as `picture`."""
        return eight_bits(self._picture)

    @cached_property
    def _picture(self) -> np.ndarray:
        return self.read_picture()

    def plot(self) -> PILImage:
        """The overlay sheet for people, see :func:`cxr_common.findings.render_overlay`. Errors as in `picture`."""
        from cxr_common.findings.overlay import render_overlay  # drawing is not loaded where nothing is drawn

        findings = [finding.model_dump(exclude_unset=True) for finding in self.findings]
        record = {"case": self.name, "size": self.size, "findings": findings}
        return render_overlay(self.grey, record, self.heatmap, self.masks, self.model.as_dict())


@dataclass(frozen=True)
class CaseKeys:
    """Where the postprocessing puts its results in an item; None for what a bundle does not make.

    Args:
        findings: the record of the image.
        heatmap: the heatmap (C, X, Y).
        masks: class -> mask (width, height).
        image: the network's input (1, X, Y).
    """

    findings: str = "findings"
    heatmap: str | None = "heatmap"
    masks: str | None = "masks"
    image: str = "image"


def decode_case(
    item: Mapping[Hashable, Any],
    keys: CaseKeys,
    name: str,
    source: Path,
    model: RunModel,
    read_picture: Callable[[str], Any] | None,
) -> Case:
    """Decode one item of a decollated batch.

    Args:
        item: what the postprocessing made.
        keys: where it put it.
        name: of the case.
        source: absolute path of the image.
        model: what found it.
        read_picture: path -> picture in [0, 1], or uint8, as (X, Y) or (1, X, Y); None takes the network's input,
            stretched.

    Raises:
        InputError: the findings are not as docs/reference/findings.md has them, or not of the model's classes.
    """
    raw, image = item[keys.findings], item[keys.image]
    found = check_record(raw, ImageFindings, source, _DEFECT)
    if [finding.label for finding in found.findings] != list(model.labels):
        raise InputError("the findings are not of the model's classes", source, _DEFECT)
    meta = image.meta if isinstance(image, MetaTensor) else {}
    masks = {} if keys.masks is None else item[keys.masks]
    spacing = found.spacing_mm or [1.0, 1.0]

    def picture() -> np.ndarray:
        if read_picture is None:
            return network_input_picture(image)
        shown = np.asarray(read_picture(found.path))
        if shown.shape[-2:] != tuple(found.size):
            raise InputError("the file changed while it was used", source, "run again when it is whole")
        return shown[0] if shown.ndim == 3 else shown

    return Case(
        name=name,
        source=source,
        is_dicom=meta.get("file_format") == "DICOM",
        stored_axes=str(meta.get("stored_axes") or IDENTITY),
        affine=affine_from_spacing((spacing[0], spacing[1])),
        found=found,
        heatmap=None if keys.heatmap is None else np.asarray(item[keys.heatmap]),
        masks={label: masks[label] for label in model.labels if label in masks},
        model=model,
        item=item,
        read_picture=picture,
    )


def network_input_picture(image: Any) -> np.ndarray:
    """A network input (1, X, Y) stretched to [0, 1], used if the original picture is not there."""
    values = torch.as_tensor(image).float().cpu().numpy()[0]
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
