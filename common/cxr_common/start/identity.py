"""What a training run is made from, so that a checkpoint is only resumed by the run it belongs to."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.json_files import read_json
from cxr_common.start.running import is_used, references, running_workflow, used_ids
from cxr_common.start.settings import FREE, SETTINGS

#: Name in a run's folder of what it resumes from.
CHECKPOINT = "checkpoint.pt"
#: Parts of the configuration that decide how a run goes on, compared as they are written.
_PARTS = ("network_def", "optimizer", "lr_scheduler", "loss", "matcher")
_SECTIONS = {"training": "train::dataset::data", "validation": "validate::dataset::data"}
_REMEDY = "give it back, or choose another output_dir (with --initial_weights to go on from these weights)"


def made_from() -> dict[str, Any] | None:
    """What the training that is running is made from: classes, network, data, settings; None where none is running.

    Returns:
        Plain values: settings (those of :data:`SETTINGS` that are not :data:`FREE`, and the number of epochs where the
        schedule of the learning rate depends on it); network, optimiser, schedule and loss as they are written, without
        expressions; the network's layers; the classes; and of the data a hash of file names, labels, boxes and which
        masks there are, but not of the files' content and folders, so that a data set may move.
    """
    workflow = running_workflow()
    if workflow is None:
        return None
    parser, used = workflow.parser, used_ids(workflow)
    more = ["max_epochs"] if "max_epochs" in references(parser.get("lr_scheduler")) else []
    made: dict[str, Any] = {"settings": used_settings(more)}
    made["parts"] = {part: _without_expressions(parser.get(part)) for part in _PARTS if part in parser}
    if is_used("labels", used):
        made["labels"] = list(parser.get_parsed_content("labels"))
    if is_used("network_def", used):
        made["network"] = describe_network(parser.get_parsed_content("network_def"))
    for section, id in _SECTIONS.items():
        if is_used(id, used):
            made[section] = describe_items(parser.get_parsed_content(id))
    return made


def used_settings(more: Sequence[str] = ()) -> dict[str, Any] | None:
    """The settings that decide what the workflow that is running makes; None where none is running.

    Args:
        more: names of settings that count besides, though they are among :data:`FREE`.

    Returns:
        Name -> plain value, of those of :data:`SETTINGS` that are not :data:`FREE` and that the run uses.
    """
    workflow = running_workflow()
    if workflow is None:
        return None
    parser, used = workflow.parser, used_ids(workflow)
    names = [name for name in SETTINGS if name not in FREE or name in more]
    settings = {name: parser.get_parsed_content(name) for name in names if name in parser and is_used(name, used)}
    return json.loads(json.dumps(settings, default=str))


def _without_expressions(part: Any) -> Any:
    """A part as it is written except for ``$`` expressions: a length may be worked out in several ways."""
    if not isinstance(part, dict):
        return str(part)
    kept = {key: value for key, value in part.items() if not str(value).startswith("$")}
    return json.loads(json.dumps(kept, default=str))


def describe_network(network: nn.Module) -> list[str]:
    """The lines of a network's text, the same whether its batch norm is synchronised over processes or not."""
    return repr(network).replace("SyncBatchNorm", "BatchNorm2d").splitlines()


def describe_items(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many items, and a hash of their file names and annotations."""
    digest = hashlib.sha256()
    for item in items:
        known = [item.get(key) for key in ("label", "boxes", "box_labels", "mask_origin")]
        masks = {name: path and Path(path).name for name, path in (item.get("mask") or {}).items()}
        digest.update(json.dumps([Path(item["image"]).name, known, masks], sort_keys=True, default=str).encode())
    return {"images": len(items), "sha256": digest.hexdigest()}


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs between what a checkpoint and a run are made from; only what both name is compared."""
    if "labels" in then and "labels" in now and then["labels"] != now["labels"]:
        yield f"classes were {', '.join(then['labels'])} and are {', '.join(now['labels'])}"
    for name, value in now.get("settings", {}).items():
        if name in then.get("settings", {}) and then["settings"][name] != value:
            why = ", on which the schedule of the learning rate depends" if name == "max_epochs" else ""
            yield f"{name} was {then['settings'][name]} and is {value}{why}"
    for name, value in now.get("parts", {}).items():
        if name in then.get("parts", {}) and _unpacked(then["parts"][name]) != _unpacked(value):
            yield f"{name} was {_short(then['parts'][name])} and is {_short(value)}"
    if "network" in then and "network" in now:
        pairs = zip_longest(then["network"], now["network"], fillvalue="nothing")
        if changed := next(((was.strip(), new.strip()) for was, new in pairs if was != new), None):
            yield f"the network had {changed[0]} where it has {changed[1]}"
    for section in _SECTIONS:
        if section in then and section in now and then[section] != now[section]:
            was, is_now = then[section]["images"], now[section]["images"]
            count = f": {was} images then, {is_now} now" if was != is_now else ""
            yield f"the {section} data changed{count}"


def _unpacked(part: Any) -> Any:
    """A part with its class' name as it is in the package, which a packed bundle has under a name of its own."""
    if not isinstance(part, dict):
        return part
    return {
        key: re.sub(r"^cxr_\w+\.", "", value) if key == "_target_" else _unpacked(value) for key, value in part.items()
    }


def _short(part: Any) -> str:
    """A part by its class, with its arguments where they say what differs."""
    values = {key: value for key, value in part.items() if not key.startswith("_")} if isinstance(part, dict) else {}
    name = part.get("_target_", "") if isinstance(part, dict) else str(part)
    return f"{name.rpartition('.')[2]}({', '.join(f'{key}={value}' for key, value in values.items())})"


def check_belongs(then: Mapping[str, Any] | None, now: Mapping[str, Any] | None, path: Path) -> None:
    """Refuse a checkpoint that was made from something else.

    Args:
        then: what is recorded in the checkpoint; None in those of earlier versions, which are taken as they are.
        now: what is to be trained; None where that is not known.
        path: of the checkpoint.

    Raises:
        InputError: names what differs.
    """
    if then is not None and now is not None and (found := list(differences(then, now))):
        more = f", and {len(found) - 3} more" if len(found) > 3 else ""
        raise InputError(f"belongs to another run: {'; '.join(found[:3])}{more}", path, _REMEDY)


def check_resumed(output_dir: Any, resume: bool) -> None:
    """Refuse to go on with a run that was made from something else than this one, or whose checkpoint is damaged."""
    path = Path(str(output_dir)) / CHECKPOINT
    if not resume or not path.is_file():
        return
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        recorded = state.get("made_from")
    except (RuntimeError, ValueError, EOFError, AttributeError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"cannot resume from this checkpoint ({reason})", path, "choose another output_dir") from error
    check_belongs(recorded, made_from(), path)


def check_initial_weights(weights: str | Path | None, labels: Sequence[str]) -> None:
    """Refuse to start from a network whose classes have other places: each would go on as another class."""
    beside = None if weights is None else Path(weights).with_name("thresholds.json")
    if beside is None or not beside.is_file():
        return
    try:
        known = list(read_json(beside, "")["labels"])
    except (InputError, KeyError, TypeError):
        return  # they are not read here for their own sake
    moved = [name for place, name in enumerate(labels) if name in known and known.index(name) != place]
    if moved and len(known) == len(labels):
        reason = f"has its classes in the order {', '.join(known)}, the datalist has {', '.join(labels)}"
        raise InputError(reason, weights, "put the datalist's labels into that order, or start from its backbone alone")
