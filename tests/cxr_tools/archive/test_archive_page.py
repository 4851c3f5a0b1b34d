"""The queries of docs/how-to/archive.md, on results of known content."""

from __future__ import annotations

import re
from datetime import date

import pytest

pytest.importorskip("duckdb", reason="needs the extra ray")
import duckdb

from cxr_common.labels import LABELS
from cxr_tools.archive.results import Results
from cxr_tools.archive.rows import schema
from tests.golden import REPOSITORY

PAGE = REPOSITORY / "docs" / "how-to" / "archive.md"


def row(image, day, pneumothorax=0.1, effusion=False, nodules=()):
    boxes = [{"x0": x0, "y0": 0.0, "x1": x1, "y1": 10.0, "score": score} for x0, x1, score in nodules]
    return {
        "image": image,
        "study_date": day,
        "spacing_mm": [0.5, 0.2],
        "probability": {label: pneumothorax if label == "Pneumothorax" else 0.1 for label in LABELS},
        "decision": {label: effusion and label == "Effusion" for label in LABELS},
        "peak": {label: {"x": 3.0, "y": 4.0} for label in LABELS},
        "boxes": {label: boxes if label == "Nodule" else [] for label in LABELS},
    }


@pytest.fixture
def queries(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = Results(tmp_path / "found" / "results")
    march = [
        row("likely", date(2026, 3, 31), 0.9, effusion=True),
        row("likelier", date(2026, 3, 1), 0.95, nodules=[(10.0, 30.0, 0.7), (0.0, 4.0, 0.9)]),
        row("unlikely", date(2026, 3, 5), 0.8),
    ]
    results.add("bucket=0", march, schema(LABELS))
    bad = {"image": "broken", "error": "the file is of an unknown format", "action": "convert it"}
    results.add("bucket=1", [row("april", date(2026, 4, 1), 0.99), bad], schema(LABELS))
    found = re.findall(r"^```sql\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [duckdb.sql(query).fetchall() for query in found]


def test_what_they_find(queries):
    pneumothoraces, effusions, nodules, errors = queries
    peak = {"x": 3.0, "y": 4.0}
    assert pneumothoraces == [("likelier", date(2026, 3, 1), 0.95, peak), ("likely", date(2026, 3, 31), 0.9, peak)]
    assert effusions == [(date(2026, 3, 1), 3, 1), (date(2026, 4, 1), 1, 0)]
    assert nodules == [("likelier", 0.9, 2.0, 2.0), ("likelier", 0.7, 10.0, 2.0)]
    assert errors == [("the file is of an unknown format", "convert it", 1)]
