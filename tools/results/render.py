"""Render result files into the marked parts of README, cards and docs.

A part looks like ``<!-- results:NAME -->`` ... ``<!-- /results -->``. NAME is ``<template>-<macro>`` of a template
below ``templates/``, or of another tool (:data:`OTHERS`). Nothing between the markers is written by hand, and a test
fails where page and result file differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from cxr_common.files import write_text
from cxr_tools.markdown import NOT_MEASURED
from cxr_tools.pipeline import report as pipeline
from tools import claims, line_lengths
from tools.bench import archive_tables
from tools.bench import tables as bench
from tools.bench.scale import scale_text
from tools.decisions import tables as decisions
from tools.faults import text as faults
from tools.picture_test import tables as picture_test
from tools.repository import BUNDLES, REPOSITORY
from tools.results.record import read_result
from tools.results.tables import TEMPLATES, render_macro

#: Parts of other tools' records -> result file below docs/results, function of its content.
OTHERS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "pipeline-nih": ("pipeline-nih.json", pipeline.summary),
    "picture-test": ("picture_test.json", picture_test.errors),
    "line-lengths": ("line_lengths.json", line_lengths.sentence),
    "bench-random-walk": ("bench_random_walk.json", bench.table),
    "bench-inference": ("bench_inference.json", bench.inference_table),
    "bench-scale": ("bench_scale.json", scale_text),
    "bench-loading": ("bench_loading.json", bench.loading_table),
    "bench-pieces": ("bench_pieces.json", bench.pieces_table),
    "bench-archive": ("bench_archive.json", archive_tables.archive_table),
    "scale-estimates": ("bench_archive.json", archive_tables.scale_table),
    "bench-runtimes": ("bench_runtimes.json", bench.runtimes_table),
    "bench-quantised": ("bench_int8.json", bench.int8_table),
    "faults-rules": ("faults_rules.json", faults.rules_table),
    "faults-inputs": ("faults_inputs.json", faults.inputs_table),
    "faults-trainings": ("faults_trainings.json", faults.kills_table),
    "decisions-bundles": ("decisions.json", decisions.bundles),
    "decisions-classes": ("decisions.json", decisions.classes),
    **{
        f"decisions-{title.lower()}": ("decisions.json", partial(decisions.sentence, bundle=bundle))
        for bundle, title in decisions.TITLES.items()
    },
}
#: Part or template -> its result file, where that is not called as the template.
FILES = {"detection-curves": "detection-curves.json", "opacity": "opacity_probe.json"}
DOCS = REPOSITORY / "docs"
_PART = re.compile(r"(<!-- results:([a-z-]+) -->\n).*?(<!-- /results -->)", re.DOTALL)
_SHOWING = (page for page in sorted(DOCS.rglob("*.md")) if _PART.search(page.read_text("utf-8")))
#: README, pages that show a part, and every card.
PAGES = ["README.md", *(str(p.relative_to(REPOSITORY)) for p in (*_SHOWING, *sorted(BUNDLES.glob("*/docs/README.md"))))]
_MACRO = re.compile(r"{% macro (\w+)\((\w*)\)")


@cache
def parts() -> dict[str, tuple[str, str, str]]:
    """Part -> result file, template, macro; one that ends in "-" goes on with what its macro is given."""
    out = {}
    for path in sorted(TEMPLATES.glob("[a-z]*.md.j2")):
        template = path.name.removesuffix(".md.j2")
        for macro, given in _MACRO.findall(path.read_text(encoding="utf-8")):
            name = template if macro == template else f"{template}-{macro}".replace("_", "-")
            file = FILES.get(name) or FILES.get(template) or f"{template}.json"
            out[f"{name}-" if given else name] = file, template, macro
    return out


def render_part(name: str, results: Path) -> str:
    """A part from its result file; a part whose file is absent says so.

    Raises:
        KeyError: there is no such part.
    """
    if name == "claims":  # of all experiments
        return claims.claims_table(results)
    if name in OTHERS:
        file, render = OTHERS[name]
        path = results / file
        return render(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else NOT_MEASURED
    family = next((part for part in parts() if part.endswith("-") and name.startswith(part)), name)
    file, template, macro = parts()[family]
    given = [name.removeprefix(family)] if family.endswith("-") else []
    path = results / file
    return render_macro(template, macro, read_result(path), *given) if path.exists() else NOT_MEASURED


def render_page(text: str, results: Path) -> str:
    """A page with every marked part rendered from its result file in the folder `results`.

    Raises:
        KeyError: when a part's name is not known.
    """
    return _PART.sub(lambda m: f"{m[1]}{render_part(m[2], results).rstrip()}\n{m[3]}", text)


def render_all(repository: Path) -> list[Path]:
    """Render every page that is there; returns those that changed."""
    changed = []
    for path in (repository / name for name in PAGES):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = render_page(old, repository / "docs" / "results")
        if new != old:
            write_text(new, path)
            changed.append(path)
    return changed


def render_quick(output: Path) -> list[Path]:
    """Render the pages that show a quick run's files, marked, into that run's own folder; returns them."""
    mark = "> **Quick run**: too little data and training to say anything about the methods.\n\n"
    pages = []
    for page in sorted(DOCS.glob("explanation/*.md")):
        text = page.read_text(encoding="utf-8")
        if any((output / parts()[name][0]).exists() for _, name, _ in _PART.findall(text) if name in parts()):
            pages.append(output / page.name)
            write_text(mark + render_page(text, output).replace("](../results/", "]("), pages[-1])
    return pages
