"""The papers' claims, each tested as a paired difference of two methods."""

from __future__ import annotations

from typing import Any

from cxr_common.metrics import paired_difference
from tools.results.score import Scored

Record = dict[str, Any]


def check_claims(claims: list[Record], methods: dict[str, list[Scored]]) -> list[Record]:
    """Test every claim on the seeds that both its methods were trained with.

    Args:
        claims: each with "first", "second", "figure", where it is about one class "class", and "same" where it says
            that the first is no worse rather than better.
        methods: hit tables of every seed of every method that is trained.

    Returns:
        The claims with "difference" (first - second) and "verdict": holds, fails (the interval lies on the other side
        of 0), undecided, or not measured.
    """
    return [_check(claim, methods) for claim in claims]


def _check(claim: Record, methods: dict[str, list[Scored]]) -> Record:
    first, second = (methods.get(claim[key], []) for key in ("first", "second"))
    seeds = min(len(first), len(second))
    if not seeds:
        return {**claim, "verdict": "not measured"}
    a, b = ([s.statistic(claim["figure"], claim.get("class")) for s in m[:seeds]] for m in (first, second))
    difference = paired_difference(a, b, first[0].predictions.patients).to_dict()
    return {**claim, "difference": difference, "verdict": verdict(difference, bool(claim.get("same")))}


def verdict(difference: Record, same: bool) -> str:
    """What an interval says about a claim of a positive difference, or (`same`) of none below 0."""
    low, high = difference["low"], difference["high"]
    if low is None or high is None:
        return "not measured"
    if high < 0:
        return "fails"
    return "holds" if same or low > 0 else "undecided"
