"""A bundle's card for Hugging Face and for the zoo: front matter, the packed card, citation, terms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cxr_tools.yaml_files import read_yaml
from tools.release.facts import Figure, Hub
from tools.repository import REPOSITORY

HOST = "https://huggingface.co"
_HERE = Path(__file__).parent
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
#: Before it stands how the folder is fetched; the packed card has it (cxr_tools/pack/preface.md).
_FOLDER = "\n## This folder\n"


def front_matter(name: str, hub: Hub, figures: list[tuple[Figure, float]]) -> str:
    """The YAML that Hugging Face shows and filters by.

    Args:
        name: of the bundle.
        hub: its section `hub`.
        figures: as :func:`~tools.release.facts.values` gives them.
    """
    results = [
        {
            "task": {"type": hub.pipeline_tag},
            "dataset": {"type": figure.id, "name": figure.data},
            "metrics": [{"type": figure.metric, "name": figure.name, "value": round(value, 4)}],
        }
        for figure, value in figures
    ]
    facts: dict[str, Any] = {
        "license": "apache-2.0",
        "library_name": "monai",
        "pipeline_tag": hub.pipeline_tag,
        "tags": ["monai", "medical", *hub.tags],
        "datasets": hub.datasets,
        "metrics": sorted({figure.metric for figure, _ in figures}),
        "model-index": [{"name": name, "results": results}],
    }
    return f"---\n{yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=1000)}---\n"


def card(files: Mapping[str, bytes], facts: Mapping[str, Any], repository: str, pages: str) -> str:
    """The card without front matter.

    Args:
        files: of the packed bundle, path -> content.
        facts: its metadata.json.
        repository: OWNER/NAME on Hugging Face.
        pages: what a link to one of the packed pages begins with.
    """
    name = repository.rpartition("/")[2]
    body = _COMMENT.sub("", files["docs/README.md"].decode())
    known = {"monai": facts["monai_version"], "torch": facts["pytorch_version"]}
    known |= {"name": name, "repository": repository, "version": facts["version"]}
    fetch = (_HERE / "get.md").read_text(encoding="utf-8").format(**known)
    body = body.replace(_FOLDER, f"\n{fetch}{_FOLDER}", 1)
    return (
        (_HERE / "card.md")
        .read_text(encoding="utf-8")
        .format(
            body=linked(body, pages).strip(),
            name=name,
            title=facts["name"],
            author=read_yaml(REPOSITORY / "CITATION.cff")["authors"][0]["name"],
            version=facts["version"],
            url=f"{HOST}/{repository}",
            terms=files["docs/data_license.txt"].decode().strip(),
        )
    )


def linked(text: str, base: str) -> str:
    """A page's relative links with `base` before them."""
    return _LINK.sub(rf"]({base}\1)", text)
