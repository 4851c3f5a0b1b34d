"""Each paper's claims in one table: what came of them on phantoms, and on patients."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cxr_tools import markdown

#: Which claims there are, and which experiment tests them.
CLAIMS = Path(__file__).with_suffix(".yaml")
#: Where a claim may be tested -> the column's head.
GROUNDS = {"phantoms": "on phantoms", "patients": "on patients"}
#: Stands behind the verdict of a claim that was added when its experiment had been scored.
LATER = "†"


def read_claims(path: Path = CLAIMS) -> list[dict[str, Any]]:
    """The file of claims: "paper" and its "claims".

    Each claim has its words, where it was asked the experiment, and "later": where it was added after the scores.
    """
    papers: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return papers


def claims_table(results: Path) -> str:
    """One row per claim, from the result files in a folder; what is not measured yet says so."""
    rows = [
        [paper["paper"], claim["claim"], *(_cell(claim, ground, results) for ground in GROUNDS)]
        for paper in read_claims()
        for claim in paper["claims"]
    ]
    return markdown.table(["paper", "claim", *GROUNDS.values()], rows)


def _cell(row: Mapping[str, Any], ground: str, results: Path) -> str:
    """Verdict, difference and figure of a claim of an experiment; a dash where it was not asked."""
    if ground not in row:
        return markdown.DASH
    (experiment, claim), *_ = row[ground].items()
    path = results / f"{experiment}.json"
    # What is null is left out of a result file.
    tested = json.loads(path.read_text(encoding="utf-8")).get("claims", []) if path.exists() else []
    found: dict[str, Any] = next((one for one in tested if one["claim"] == claim), {})
    if not found.get("difference"):
        return "not measured"
    seeds = found["difference"]["n_seeds"]
    of = f" of {found['class']}" if found.get("class") else ""
    word = found["verdict"] if found["verdict"] == "holds" else f"**{found['verdict']}**"
    word += LATER * (row.get("later") == ground)
    return f"{word}: {found['figure']}{of} {markdown.signed(found['difference'])}, {seeds} seed{'s' * (seeds > 1)}"
