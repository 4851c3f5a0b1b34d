"""Hugging Face: the zoo's hf_models entries, and the card of a bundle's repository there."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
            "metadata.json: required_packages_version is no mapping", "name the packages and their versions, or {}"
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
