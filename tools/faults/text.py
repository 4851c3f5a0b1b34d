"""Markdown of what failing machines, disks and files led to."""

from __future__ import annotations

from typing import Any

from cxr_tools.markdown import table
from tools.faults.kills import TRAININGS

Record = dict[str, Any]


def rules_table(record: Record) -> str:
    """What happens, what holds, and how many tests ask it."""
    rows = [[row["what"], row["holds"], _tests(row)] for row in record["rules"]]
    return table(["what happens", "what holds", "tests"], rows) + f"\nRun {record['date']}.\n"


def kills_table(record: Record) -> str:
    """Trainings that were killed."""
    rows = [
        [
            case["bundle"],
            str(case["kills"]),
            str(case["compared"]),
            str(case["different"]) if case["different"] == 0 else f"**{case['different']}**",
        ]
        for case in record["trainings"]
    ]
    head = ["bundle", "kills", "trainings compared with one left alone", "other weights"]
    text = f"\nRun {record['date']}, seed {record['seed']}, torch {record['versions']['torch']}.\n"
    if left := sorted(set(TRAININGS) - {case["bundle"] for case in record["trainings"]}):
        text += f"\nNot measured yet: {', '.join(left)}.\n"
    return table(head, rows) + text


def inputs_table(record: Record) -> str:
    """Changed files, by kind."""
    rows = [
        [
            case["kind"],
            *(f"{case[name]:,}" for name in ("files", "read", "refused")),
            *(f"{case[name]:,}" if case[name] == 0 else f"**{case[name]:,}**" for name in ("crashed", "hung")),
            f"{case['slowest_s']:.1f} s",
            f"{case['grown_bytes'] / 1e6:,.0f} MB",
        ]
        for case in record["inputs"]
    ]
    head = ["kind", "files", "read", "refused", "crashed", "hung", "slowest", "largest growth of memory by one file"]
    return table(head, rows) + f"\nRun {record['date']}, seed {record['seed']}.\n"


def _tests(row: Record) -> str:
    others = [
        f"**{row['failed']} failed**" if row["failed"] else "",
        f"{row['skipped']} skipped" if row["skipped"] else "",
    ]
    return ", ".join([f"{row['passed']} passed", *filter(None, others)])
