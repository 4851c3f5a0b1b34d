"""thresholds.json, which lies beside the weights that the thresholds were tuned for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from cxr_common.errors import InputError
from cxr_common.files import write_json
from cxr_common.findings.record_models import BoxThresholdsRecord, MapThresholdsRecord, ThresholdsRecord
from cxr_common.findings.thresholds import RETUNE, BoxThresholds, ClassThresholds, Thresholds
from cxr_common.findings.walk import Walk
from cxr_common.json_files import check_record, read_json
from cxr_common.networks.weights import weights_sha256

SomeThresholds = TypeVar("SomeThresholds", bound=ClassThresholds)


def thresholds_beside(weights: str | Path | None) -> Path:
    """The thresholds.json that lies beside a weights file.

    Raises:
        InputError: there are no such weights, or no thresholds beside them.
    """
    if weights is None:  # as YAML reads `--weights ""`
        raise InputError("is empty", "weights", "give a weights file, such as run/model.pt")
    if not Path(weights).is_file():
        raise InputError("no such weights file", weights, "train the bundle first, or restore models/model.pt")
    path = Path(weights).with_name("thresholds.json")
    if not path.is_file():
        raise InputError(
            f"there is no {path.name} beside {Path(weights).name}", path.parent, f"restore it, or {RETUNE}"
        )
    return path


def save_thresholds(thresholds: ClassThresholds, path: str | Path) -> None:
    """Write thresholds.json (see docs/reference/findings.md)."""
    write_json({"kind": thresholds.kind, **thresholds.as_dict()}, path)


def load_thresholds(
    path: str | Path | None, labels: Sequence[str] | None = None, weights: str | Path | None = None
) -> ClassThresholds:
    """Read thresholds.json and check that it fits.

    Args:
        path: the file; None gives :meth:`Thresholds.default` of `labels`.
        labels: class names the network has, in channel order; None accepts the file's.
        weights: weights file the thresholds must have been tuned for; None skips that check.

    Returns:
        :class:`Thresholds` or :class:`BoxThresholds`, as the file's `kind` says. A file without one is of maps.

    Raises:
        InputError: no such file, not readable, other classes or another order, or tuned for other weights.
    """
    if path is None:
        if labels is None:
            raise InputError("neither a thresholds file nor class names given", "thresholds", "pass labels")
        return Thresholds.default(labels)
    raw = read_json(path, RETUNE, ThresholdsRecord)
    if labels is not None and list(raw["labels"]) != list(labels):
        raise InputError(f"is for the classes {raw['labels']}, the network has {list(labels)}", path, RETUNE)
    recorded = raw.get("weights_sha256")
    if weights is not None and recorded is not None and recorded != weights_sha256(weights):
        raise InputError(f"was tuned for other weights than {Path(weights).name}", path, RETUNE)
    origin = {"tuned_on": raw.get("tuned_on"), "weights_sha256": recorded, "source": Path(path).name}
    if raw.get("kind") == BoxThresholds.kind:
        boxes = check_record(raw, BoxThresholdsRecord, path, RETUNE)
        return BoxThresholds(tuple(boxes.labels), boxes.decision, **origin)
    maps = check_record(raw, MapThresholdsRecord, path, RETUNE)
    try:
        walk = Walk.from_dict(raw["walk"]) if raw.get("walk") else None
    except ValueError as error:
        raise InputError(str(error), f"{path}: walk", RETUNE) from error
    return Thresholds(tuple(maps.labels), maps.decision, maps.mask, maps.mask_mode, walk=walk, **origin)


def used_thresholds(
    given: ClassThresholds | str | Path | None,
    kind: type[SomeThresholds],
    where: str,
    labels: Sequence[str] | None = None,
    weights: str | Path | None = None,
) -> SomeThresholds:
    """The thresholds that a transform was given, in whatever form.

    Args:
        given: thresholds, the path of a thresholds.json, or None for the defaults of `labels`.
        kind: what the transform needs. Box thresholds can be those of maps, whose masks are not looked at.
        where: name of the transform, for errors.
        labels: class names it was given besides; None takes those of the thresholds.
        weights: see :func:`load_thresholds`.

    Raises:
        InputError: see :func:`load_thresholds`; or of another kind, or of other classes than `labels`.
    """
    found: ClassThresholds
    if given is None and labels is not None:
        found = kind.default(labels)
    elif isinstance(given, ClassThresholds):
        found = given
        if labels is not None and list(labels) != list(given.labels):
            raise InputError("labels and thresholds name different classes", where, "give both the same list")
    else:
        found = load_thresholds(given, labels, weights)
    if kind is BoxThresholds and isinstance(found, Thresholds):
        found = BoxThresholds(
            found.labels,
            found.decision,
            tuned_on=found.tuned_on,
            weights_sha256=found.weights_sha256,
            source=found.source,
        )
    if not isinstance(found, kind):
        action = f"give those of a network that makes {kind.kind}"
        raise InputError(f"thresholds are of {found.kind}, not of {kind.kind}", f"{where}: {found.source}", action)
    return found


def load_map_thresholds(
    path: str | Path, labels: Sequence[str] | None = None, weights: str | Path | None = None
) -> Thresholds:
    """Read a thresholds.json of a network that gives maps; arguments and errors as of :func:`used_thresholds`."""
    return used_thresholds(path, Thresholds, str(path), labels, weights)
