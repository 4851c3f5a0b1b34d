"""What MONAI Label 0.8.5 wants of a bundle. Failures are warnings unless supported_apps names monai-label."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any

from ..bundle import Bundle
from ..child import ChildFailed, ask
from ..config_files import references, strings
from ..options import Options
from ..outcome import Problem, Skip, Status
from ..registry import Function, check

_TASKS = ("deepedit", "deepgrow", "detection", "segmentation", "classification")
_NEEDS = ("network", "tensors", "execution")
_AFTER = (
    "network.random",
    "network.builds",
    "running.builds",
    "weights.strict",
    "paths.relative",
    "label.config",
)


def _asked(function: Function) -> Function:
    """Weighs a check's problems by whether the bundle says that it is for MONAI Label."""

    @wraps(function)
    def weighed(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
        apps = bundle.metadata.get("supported_apps")
        declared = isinstance(apps, dict) and any(str(a).replace("-", "").lower() == "monailabel" for a in apps)
        for told in function(bundle, options):
            light = isinstance(told, Problem) and not declared
            yield replace(told, status=Status.WARNING) if light else told  # type: ignore[type-var]

    return weighed


def _task_by_name(bundle: Bundle) -> str:
    found = next((t for t in _TASKS if t in bundle.name.lower()), "segmentation")
    return "segmentation" if found in ("deepedit", "deepgrow") else found


def _task_by_metadata(bundle: Bundle) -> str | None:
    outputs = bundle.tensors("post_processed_outputs") or bundle.tensors("outputs")
    spec = outputs.get("pred", next(iter(outputs.values()), {}))
    kind, form, sizes = (spec.get(key) for key in ("type", "format", "spatial_shape"))
    if kind == "object" or form in ("dict", "boxes"):
        return "detection"
    if form in ("segmentation", "labels") or (kind == "image" and isinstance(sizes, list) and len(sizes) > 1):
        return "segmentation"
    if form in ("classes", "classification", "probabilities") or kind in ("probabilities", "vector"):
        return "classification"
    return None


@check("label.name", "the name tells MONAI Label the right task", needs=("bundle", "metadata"))
@_asked
def name(bundle: Bundle, options: Options) -> Iterator[Problem]:
    wanted, taken = _task_by_metadata(bundle), _task_by_name(bundle)
    if wanted is None:
        raise Skip("metadata's output is of no kind that MONAI Label knows")
    if wanted != taken:
        yield Problem(
            f"MONAI Label takes {bundle.name} for {taken}, by its name; metadata says that {wanted} comes out",
            f"let the name contain {wanted} and no other task, or change what comes out",
        )


@check("label.config", "the inference config stands alone, with MONAI Label's ids", needs=("inference", "tensors"))
@_asked
def config(bundle: Bundle, options: Options) -> Iterator[Problem]:
    where = bundle.config("inference")
    for id in ("network_def", "preprocessing", "postprocessing"):
        if id not in bundle.inference:
            yield Problem(f"{where}: no {id}", "add it: MONAI Label builds its task from it")
    steps = bundle.inference.get("preprocessing")
    targets = [text for id, text in strings(steps) if id.endswith("_target_")]
    if targets and "Load" not in "".join(targets):
        yield Problem(f"{where}: preprocessing loads no file", "begin it with LoadImaged")
    for id, text in strings(bundle.inference):
        if any(r.startswith("_meta_") for r in references(text)):
            yield Problem(
                f"{where}: {id} refers to @_meta_", "write the value: MONAI Label reads this file without metadata"
            )
    if not bundle.pred.get("channel_def"):
        yield Problem(
            "network_data_format#outputs#pred has no channel_def", "name the labels there: MONAI Label shows them"
        )


def _output(needed: str) -> Callable[[Callable[[dict[str, Any], bool], Iterator[Problem]]], Function]:
    """Makes a check of what comes out, for bundles whose name says that it is `needed`."""

    def wrap(function: Callable[[dict[str, Any], bool], Iterator[Problem]]) -> Function:
        @_asked
        @wraps(function)
        def run(bundle: Bundle, options: Options) -> Iterator[Problem]:
            if _task_by_name(bundle) != needed:
                raise Skip(f"MONAI Label takes it for {_task_by_name(bundle)}")
            question = {"config": bundle.config("inference"), "image": bundle.image, "weights": bundle.weights}
            try:
                found = ask(bundle, options, "label", **question)
            except ChildFailed as error:
                raise Skip(f"label.runs tells: {error}") from error
            yield from function(found, len(found["original"]) == 2)

        return run

    return wrap


@check("label.runs", "a picture goes through all its steps", needs=_NEEDS, after=_AFTER)
@_asked
def runs(bundle: Bundle, options: Options) -> Iterator[Problem]:
    question = {"config": bundle.config("inference"), "image": bundle.image, "weights": bundle.weights}
    try:
        ask(bundle, options, "label", **question)
    except ChildFailed as error:
        yield Problem(f"a made picture does not go through: {error}", "try it with a real one in MONAI Label")


@check("label.dtype", "the label map is uint8", needs=_NEEDS, after=(*_AFTER, "label.name", "label.runs"))
@_output("segmentation")
def dtype(found: dict[str, Any], flat: bool) -> Iterator[Problem]:
    if "dtype" not in found:
        yield Problem(f"pred is not a label map ({found['parts']})", "end postprocessing with a label map under pred")
    elif found["dtype"] != "uint8":
        problem = Problem(
            f"the label map is {found['dtype']}", "end postprocessing with CastToTyped(keys=pred, dtype=uint8)"
        )
        # A float PNG cannot be written at all; a float volume can, and Slicer shows it.
        yield problem if flat else replace(problem, status=Status.WARNING)


@check("label.shape", "the label map has the picture's size", needs=_NEEDS, after=(*_AFTER, "label.name", "label.runs"))
@_output("segmentation")
def shape(found: dict[str, Any], flat: bool) -> Iterator[Problem]:
    if "shape" not in found:
        return
    original = found["original"]
    allowed = [original, [*original, 1]] if flat else [original, [1, *original]]
    if found["shape"] not in allowed:
        end = "SqueezeDimd(keys=pred, dim=0) last" if flat else "an Invertd of preprocessing"
        yield Problem(f"the picture has {original}, the label map {found['shape']}", f"end postprocessing with {end}")


@check(
    "label.affine",
    "the label map lies where the picture lies",
    needs=_NEEDS,
    after=(*_AFTER, "label.name", "label.runs", "label.shape"),
)
@_output("segmentation")
def affine(found: dict[str, Any], flat: bool) -> Iterator[Problem]:
    if "shape" not in found:
        return
    if flat:
        if found["shape"] == found["original"]:
            yield Problem(
                "a label map of two dimensions loses its spacing: MONAI Label 0.8.5 ignores its affine",
                "give (W, H, 1) with a 4 x 4 affine",
                Status.WARNING,
            )
    elif found["affine"] is None:
        yield Problem("the label map has no affine", "keep it a MetaTensor", Status.WARNING)
    elif not _close(found["affine"], found["given"]):
        yield Problem("the label map's affine is not the picture's", "invert preprocessing by Invertd")


def _close(one: list[list[float]], other: list[list[float]]) -> bool:
    return all(
        abs(a - b) < 1e-3 for row, wanted in zip(one, other, strict=True) for a, b in zip(row, wanted, strict=True)
    )


@check(
    "label.scores",
    "a classifier ends with a vector of scores",
    needs=_NEEDS,
    after=(*_AFTER, "label.name", "label.runs"),
)
@_output("classification")
def scores(found: dict[str, Any], flat: bool) -> Iterator[Problem]:
    if len(found.get("shape", [])) != 1:
        yield Problem(f"pred has shape {found.get('shape')}", "end postprocessing with one score per class, shape (C,)")


@check(
    "label.boxes",
    "a detector ends with boxes, labels and scores",
    needs=_NEEDS,
    after=(*_AFTER, "label.name", "label.runs"),
)
@_output("detection")
def boxes(found: dict[str, Any], flat: bool) -> Iterator[Problem]:
    parts = found.get("parts", {})
    missing = [key for key in ("box", "label", "label_scores") if key not in parts]
    if missing:
        yield Problem(f"the result has no {', '.join(missing)}", "end postprocessing with box, label and label_scores")
    elif parts["box"][-1:] != [6]:
        yield Problem(
            f"boxes have {parts['box'][-1:]} numbers", "give six (centre and size, in 3-D): Slicer reads no others"
        )
