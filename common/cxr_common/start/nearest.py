"""The name that was most likely meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant, if any: one of similar spelling, or the only one that contains it."""
    plain = {other.lower().replace("_", "").replace("-", ""): other for other in known}
    key = name.lower().replace("_", "").replace("-", "")
    if close := difflib.get_close_matches(key, plain, n=1, cutoff=0.7):
        return plain[close[0]]
    longer = [other for short, other in plain.items() if len(key) > 2 and key in short]
    return longer[0] if len(longer) == 1 else None
