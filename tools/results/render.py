"""Render result files into the marked parts of README, cards and docs.

A part looks like ``<!-- results:NAME -->`` ... ``<!-- /results -->``; NAME is a key of :data:`PARTS`. Nothing between
the markers is written by hand, and a test fails where page and result file differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cxr_common.files import write_text
from tools.bench import tables as bench
from tools.picture_test import tables as picture_test
from tools.pipeline import report as pipeline
from tools.repository import BUNDLES, REPOSITORY
from tools.results import (
    card_tables,
    detection_tables,
    head_to_head,
    headline,
    lungs_tables,
    nih_tables,
    opacity_tables,
    refinement_tables,
    segmentation_tables,
)
from tools.results.markdown import NOT_MEASURED

Record = dict[str, Any]
#: Part name -> (result file below docs/results, function of its content).
PARTS: dict[str, tuple[str, Callable[[Record], str]]] = {
    "localization-summary": ("localization.json", headline.summary),
    "localization-goals": ("localization.json", headline.goals),
    "localization-phantoms": ("localization.json", headline.phantoms),
    "localization-classes": ("localization.json", headline.classes),
    "localization-overlap": ("localization.json", headline.overlap),
    "localization-nih": ("localization.json", headline.nih),
    "localization-training": ("localization.json", headline.training),
    "localization-methods": ("localization.json", head_to_head.methods),
    "localization-by-class": ("localization.json", head_to_head.by_class),
    "localization-by-seed": ("localization.json", head_to_head.by_seed),
    "localization-claims": ("localization.json", head_to_head.claims),
    "localization-relevance": ("localization.json", head_to_head.relevance),
    "localization-real": ("localization.json", head_to_head.real),
    "localization-opacity": ("localization.json", head_to_head.opacity),
    "nih-summary": ("nih.json", nih_tables.summary),
    "nih-goals": ("nih.json", nih_tables.goals),
    "nih-methods": ("nih.json", nih_tables.methods),
    "nih-by-class": ("nih.json", nih_tables.by_class),
    "nih-overlaps": ("nih.json", nih_tables.overlaps),
    "nih-labels": ("nih.json", nih_tables.labels),
    "nih-phantoms": ("nih.json", nih_tables.phantoms),
    "nih-claims": ("nih.json", nih_tables.claims),
    "nih-training": ("nih.json", nih_tables.training),
    "nih-card-pylon": ("nih.json", partial(card_tables.nih, method="pylon")),
    "nih-card-multiscale": ("nih.json", partial(card_tables.nih, method="multiscale")),
    "nih-card-cam": ("nih.json", partial(card_tables.nih, method="cam", heatmaps="cam_scaled")),
    "nih-card-pcam": ("nih.json", partial(card_tables.nih, method="pcam")),
    "nih-trained-pylon": ("nih.json", partial(card_tables.nih_training, method="pylon")),
    "nih-trained-multiscale": ("nih.json", partial(card_tables.nih_training, method="multiscale")),
    "nih-trained-cam": ("nih.json", partial(card_tables.nih_training, method="cam")),
    "nih-trained-pcam": ("nih.json", partial(card_tables.nih_training, method="pcam")),
    "refinement-card": ("refinement.json", card_tables.refinement),
    "refinement-card-steps": ("refinement.json", card_tables.steps),
    "refinement-trained": ("refinement.json", partial(card_tables.trained, run="irn_pylon-seed0")),
    "segmentation-trained": (
        "segmentation.json",
        partial(card_tables.trained, run="segment_chexseg-seed0", data="chexseg"),
    ),
    "detection-trained": ("detection.json", partial(card_tables.trained, run="detect_oxnet-seed0", data="oxnet")),
    "segmentation-card": ("segmentation.json", card_tables.segmentation),
    "detection-card": ("detection.json", card_tables.detection),
    "refinement-summary": ("refinement.json", refinement_tables.summary),
    "refinement-methods": ("refinement.json", refinement_tables.methods),
    "refinement-classes": ("refinement.json", refinement_tables.classes),
    "refinement-steps": ("refinement.json", refinement_tables.steps),
    "refinement-training": ("refinement.json", refinement_tables.training),
    "segmentation-methods": ("segmentation.json", segmentation_tables.methods),
    "segmentation-classes": ("segmentation.json", segmentation_tables.classes),
    "segmentation-claims": ("segmentation.json", segmentation_tables.claims),
    "segmentation-training": ("segmentation.json", segmentation_tables.training),
    "segmentation-summary": ("segmentation.json", segmentation_tables.summary),
    "pipeline-phantoms": ("pipeline-phantoms.json", pipeline.summary),
    "pipeline-opacity": ("pipeline-opacity.json", pipeline.summary),
    "lungs": ("lungs.json", lungs_tables.methods),
    "opacity-probe": ("opacity_probe.json", opacity_tables.probe),
    "opacity-others": ("opacity_probe.json", opacity_tables.others),
    "detection-summary": ("detection.json", detection_tables.summary),
    "detection-methods": ("detection.json", detection_tables.methods),
    "detection-classes": ("detection.json", detection_tables.classes),
    "detection-curves": ("detection-curves.json", detection_tables.curves),
    "detection-claims": ("detection.json", detection_tables.claims),
    "detection-training": ("detection.json", detection_tables.training),
    "picture-test": ("picture_test.json", picture_test.errors),
    "bench-random-walk": ("bench_random_walk.json", bench.table),
    "bench-inference": ("bench_inference.json", bench.inference_table),
}
PAGES: tuple[str, ...] = (
    "README.md",
    "docs/results.md",
    "docs/nih.md",
    "docs/findings.md",
    *(str(card.relative_to(REPOSITORY)) for card in sorted(BUNDLES.glob("*/docs/README.md"))),
)
_PART = re.compile(r"(<!-- results:([a-z-]+) -->\n).*?(<!-- /results -->)", re.DOTALL)


def render_page(text: str, results: Path) -> str:
    """A page with every marked part rendered from its result file.

    Args:
        text: the page.
        results: folder of the result files; a part whose file is absent says so.

    Raises:
        KeyError: when a part's name is not known.
    """

    def part(match: re.Match[str]) -> str:
        file, render = PARTS[match[2]]
        path = results / file
        body = render(json.loads(path.read_text())) if path.exists() else NOT_MEASURED
        return f"{match[1]}{body.rstrip()}\n{match[3]}"

    return _PART.sub(part, text)


def render_all(repository: Path) -> list[Path]:
    """Render every page that is there; returns those that changed."""
    changed = []
    for name in PAGES:
        path = repository / name
        if not path.exists():
            continue
        old = path.read_text(encoding="utf-8")
        new = render_page(old, repository / "docs" / "results")
        if new != old:
            write_text(new, path)
            changed.append(path)
    return changed


def render_quick(repository: Path, output: Path) -> Path:
    """Render the results page from a quick run's file, marked, into that run's own folder; returns the page."""
    text = render_page((repository / "docs" / "results.md").read_text(encoding="utf-8"), output)
    mark = "> **Quick run**: too little data and training to say anything about the methods.\n\n"
    page = output / "results.md"
    page.write_text(mark + text.replace("](results/", "]("), encoding="utf-8")
    return page
