"""Ways to do the same take turns, so that what else the machine does meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


def take_turns(
    ways: Mapping[str, Callable[[], Any]], repeats: int, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Milliseconds of every way in every turn.

    Args:
        ways: name -> what is timed; it should be warm.
        repeats: how many turns.
        clock: seconds; by default the CPU time of this process.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = clock()
            way()
            times[name].append(1000 * (clock() - start))
    return times
