"""The papers' claims, each tested as a paired difference of two methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cxr_common.metrics import paired_difference

Record = dict[str, Any]
Statistic = Callable[[np.ndarray], np.ndarray]


def check_claims(
    claims: Sequence[Record], statistics: Callable[[str, Record], Mapping[int, Statistic]], groups: Sequence[str]
) -> list[Record]:
    """Test every claim on the seeds that both its methods were trained with.

    Args:
        claims: each with "first" and "second" and, where it says that the first is no worse rather than better,
            "margin": what still counts as no worse.
        statistics: method, claim -> seed -> the claim's figure as a function of image weights; empty where the method
            is not trained.
        groups: patient of each image.

    Returns:
        The claims with "difference" (first - second) and "verdict", see :func:`verdict`.
    """
    return [_check(claim, statistics, groups) for claim in claims]


def _check(
    claim: Record, statistics: Callable[[str, Record], Mapping[int, Statistic]], groups: Sequence[str]
) -> Record:
    first, second = (statistics(claim[key], claim) for key in ("first", "second"))
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return {**claim, "verdict": "not measured"}
    difference = paired_difference([first[s] for s in seeds], [second[s] for s in seeds], groups).to_dict()
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
