"""Hugging Face: the zoo's hf_models entries, and the card of a bundle's repository there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from ..bundle import Bundle
from ..options import Options
from ..outcome import Problem, Skip, warning
from ..registry import check

_KEYS: tuple[str, ...] = ("schema", "version", "changelog", "monai_version", "pytorch_version", "numpy_version")
_KEYS += ("required_packages_version", "name", "task", "description", "authors", "copyright", "huggingface_url")


@check(
    "hub.metadata",
    "an hf_models entry's metadata has what the zoo asks for",
    needs=("model_entry", "metadata"),
    zoo=True,
)
def metadata(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for key in _KEYS:
        if not bundle.metadata.get(key) and key != "required_packages_version":
            yield Problem(f"metadata.json: {key} is not there or empty", "add it: the zoo shows or checks it")
    if not isinstance(bundle.metadata.get("required_packages_version"), dict):
        yield Problem(
            "metadata.json: required_packages_version is not a mapping", "name the packages and their versions, or {}"
        )
    url = bundle.metadata.get("huggingface_url")
    if url and not re.fullmatch(r"https://huggingface\.co/[\w.-]+/[\w.-]+/?", str(url)):
        yield Problem(f"metadata.json: huggingface_url is {url!r}", "write https://huggingface.co/OWNER/NAME")


@check("hub.card", "the card of a Hugging Face repository has front matter")
def card(bundle: Bundle, options: Options) -> Iterator[Problem]:
    if "README.md" not in bundle.files or bundle.is_model_entry:
        raise Skip("no README.md in the root, so no folder of Hugging Face")
    match = re.match(r"---\n(.*?)\n---\n", bundle.text("README.md"), re.DOTALL)
    try:
        front = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError:
        front = None
    if not isinstance(front, dict):
        yield warning(
            "README.md has no front matter in YAML", "begin it with ---, license, library_name: monai, tags, ---"
        )
        return
    for key in ("license", "library_name"):
        if not front.get(key):
            yield warning(f"README.md's front matter has no {key}", f"add {key}: Hugging Face shows and filters by it")
    for key in ("tags", "datasets", "metrics"):
        if key in front and not _texts(front[key]):
            yield Problem(f"README.md's front matter: {key} is not a list of texts", "write it as a list of texts")
    for fault in _faults(front.get("model-index", [])):
        yield Problem(f"README.md's front matter: model-index {fault}", "Hugging Face refuses such a card: mend it")


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _faults(index: Any) -> Iterator[str]:
    """What Hugging Face's check of a card finds in the results of a model-index."""
    if not isinstance(index, list) or not all(isinstance(model, dict) and model.get("name") for model in index):
        yield "is not a list of models with names"
        return
    for model in index:
        results = model.get("results")
        if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
            yield f"of {model['name']} has no list of results"
            continue
        for number, result in enumerate(results):
            for part, keys in (("task", ("type",)), ("dataset", ("type", "name"))):
                given = result.get(part)
                if not isinstance(given, dict) or not all(given.get(key) for key in keys):
                    yield f"of {model['name']}: result {number} has no {part} with {' and '.join(keys)}"
            metrics = result.get("metrics")
            good = isinstance(metrics, list) and metrics and all(isinstance(m, dict) and m.get("type") for m in metrics)
            if not good or any(m.get("value") is None for m in metrics):
                yield f"of {model['name']}: result {number} has no metrics with type and value"
