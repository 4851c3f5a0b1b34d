"""The papers' claims, each tested as a paired difference of two methods."""

from __future__ import annotations

from typing import Any

from cxr_common.metrics import paired_difference
from tools.results.score import Scored

Record = dict[str, Any]


def check_claims(claims: list[Record], methods: dict[str, dict[int, Scored]]) -> list[Record]:
    """Test every claim on the seeds that both its methods were trained with.

    Args:
        claims: each with "first", "second", "figure", where it is about one class "class", and where it says that the
            first is no worse rather than better, "margin": what still counts as no worse.
        methods: method -> seed -> hit tables, of all that is trained.

    Returns:
        The claims with "difference" (first - second) and "verdict", see :func:`verdict`.
    """
    return [_check(claim, methods) for claim in claims]


def _check(claim: Record, methods: dict[str, dict[int, Scored]]) -> Record:
    first, second = (methods.get(claim[key], {}) for key in ("first", "second"))
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return {**claim, "verdict": "not measured"}
    a, b = ([m[seed].statistic(claim["figure"], claim.get("class")) for seed in seeds] for m in (first, second))
    difference = paired_difference(a, b, first[seeds[0]].predictions.patients).to_dict()
    return {**claim, "difference": difference, "verdict": verdict(difference, claim.get("margin", 0.0))}


def verdict(difference: Record, margin: float = 0.0) -> str:
    """What an interval says about the claim that a difference lies above -`margin`.

    Returns:
        "holds" where all of it does, "fails" where nothing of it does, else "undecided"; "not measured" without one.
    """
    low, high = difference["low"], difference["high"]
    if low is None or high is None:
        return "not measured"
    if high < -margin:
        return "fails"
    return "holds" if low > -margin else "undecided"
