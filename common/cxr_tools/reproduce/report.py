"""Figures of a run beside those of the paper, with their source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr_common.data import read_datalist
from cxr_common.files import write_json, write_text
from cxr_common.json_files import read_json
from cxr_tools.markdown import number, table
from cxr_tools.reproduce.recipe import Recipe

#: Parts of a figure, and how a row of them is called.
_PARTS = {"micro": "micro", "macro": "macro", "value": ""}


def write_report(recipe: Recipe, datalist: Path, metrics: Mapping[str, Path], output: Path) -> str:
    """Write ``reproduce.md`` and ``reproduce.json``.

    Args:
        recipe: see there.
        datalist: that was used.
        metrics: step -> its metrics.json.
        output: folder of the run.

    Returns:
        The page.
    """
    found = {step: read_json(path, "run the recipe again") for step, path in metrics.items()}
    rows = [row for figure in recipe.figures for row in figure_rows(figure, found)]
    data = read_datalist(datalist)
    counts = {section: len(data.get(section, [])) for section in recipe.images}
    # Sections that are drawn by patient differ by a few.
    whole = all(n >= 0.95 * recipe.images[section] for section, n in counts.items())
    notes = [f"- paper: {recipe.paper}", f"- datalist: `{datalist}`"]
    said = ", ".join(
        f"{n:,} in {section} ({recipe.images[section]:,} in the full data set)" for section, n in counts.items()
    )
    notes.append(f"- images: {said}")
    if not whole:
        notes.append("- **This is not the data of the paper: the two columns cannot be compared.**")
    sources = list(dict.fromkeys(source for row in rows for source in row["sources"]))
    cells = [
        [
            row["figure"],
            number(row["measured"]),
            "; ".join(row["published"]) or "–",
            ", ".join(f"[{sources.index(source) + 1}]" for source in row["sources"]) or "–",
        ]
        for row in rows
    ]
    page = "\n".join(
        [
            f"# {recipe.title}\n",
            *notes,
            "",
            table(["figure", "measured, 95% interval by patient", "published", "by"], cells),
            *(f"[{n}] {source}\n" for n, source in enumerate(sources, 1)),
            "Research use only. Not a medical device; not for diagnosis or treatment.\n",
        ]
    )
    write_json({"recipe": recipe.name, "images": counts, "whole": whole, "rows": rows}, output / "reproduce.json")
    write_text(page, output / "reproduce.md")
    return page


def figure_rows(figure: Mapping[str, Any], found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of one figure: micro, macro and classes, as far as it was measured or is published."""
    measured = found.get(figure["of"], {})
    for key in figure["at"]:
        measured = measured.get(key, {}) if isinstance(measured, dict) else {}
    published = figure.get("published", [])
    rows = []
    for part, text in _PARTS.items():
        own = measured if part == "value" and "value" in measured else measured.get(part)
        theirs = [(p, p[part]) for p in published if part in p]
        if own or theirs:
            rows.append(_row(f"{figure['name']}{', ' if text else ''}{text}", own, theirs))
    classes = dict(measured.get("per_class", {})) | {n: None for p in published for n in p.get("per_class", {})}
    for name in classes:
        own = measured.get("per_class", {}).get(name)
        theirs = [(p, p["per_class"][name]) for p in published if name in p.get("per_class", {})]
        if (own and own.get("value") is not None) or theirs:
            rows.append(_row(f"{figure['name']}, {name}", own, theirs))
    return rows


def _row(name: str, own: Any, theirs: list[tuple[Mapping[str, Any], float]]) -> dict[str, Any]:
    values = [f"{value:g}".replace("0.", ".", 1) for _, value in theirs]
    sources = [f"{paper['by']}: {paper['source']}" for paper, _ in theirs]
    return {"figure": name, "measured": own, "published": values, "sources": sources}
