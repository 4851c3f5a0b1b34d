"""Markdown of the picture test's errors."""

from __future__ import annotations

from typing import Any

from cxr_tools.markdown import table

Record = dict[str, Any]
_TITLES = {
    "upside down": "radiographs upside down",
    "head left": "radiographs turned by 90 degrees, head to the left",
    "head right": "radiographs turned by 90 degrees, head to the right",
    "inverted": "radiographs with bright and dark exchanged",
    "lateral": "lateral views, simulated",
    "photograph": "photographs and drawings",
    "scan of another part": "slices, sonograms, a forearm (pydicom's samples)",
    "page of text": "pages of text",
    "simulated hand or limb": "hands and limbs, simulated",
    "shapes": "soft shapes with a radiograph's greys",
    "noise": "noise",
}


def _percent(share: Record) -> str:
    return f"{100 * share['value']:.1f}% [{100 * share['low']:.1f}, {100 * share['high']:.1f}]"


def errors(record: Record) -> str:
    """Misses of what must be warned of, then false alarms on good radiographs."""
    named = record["named"]
    misses = [
        [_TITLES[kind], str(share["n"]), _percent(share), _percent(named[kind]) if kind in named else "–"]
        for kind, share in record["misses"].items()
    ]
    alarms = record["false_alarms"]
    good = [
        [
            source,
            str(share["n"]),
            _percent(share),
            _percent(alarms[f"{source}, changed"]) if _has(alarms, source) else "–",
        ]
        for source, share in alarms.items()
        if not source.endswith(", changed")
    ]
    heads = (
        ["pictures", "number", "no warning", "the right words"],
        ["radiographs", "number", "warning", "changed: warning"],
    )
    text = (
        "Pictures and patients that the test did not learn from; in brackets exact 95% intervals, picture by picture."
        " *Changed*: a turn of up to 10 degrees, cropping, borders, exposure, markers, devices, wires and noise, drawn"
        f" as in training. Learned from {sum(record['trained_on'].values()):,} pictures; scored {record['date']}.\n"
    )
    return table(heads[0], misses) + "\n" + table(heads[1], good) + "\n" + text


def _has(alarms: Record, source: str) -> bool:
    return f"{source}, changed" in alarms
