"""The list of checks. A check is a function of a bundle and the options, with an id, a title and what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .bundle import Bundle
from .options import Options
from .outcome import Problem

Function = Callable[[Bundle, Options], Iterable[Problem | str]]


@dataclass(frozen=True)
class Check:
    """One question to a bundle.

    Args:
        id: `family.name`.
        title: what is asked.
        function: yields a `Problem` for what is wrong, a string for what is worth a note; raises `Skip`.
        needs: names of conditions (`needs.NEEDS`) without which it is skipped.
        after: ids of checks without whose success it is skipped, so that one defect is told once.
        zoo: whether the model zoo's CI asks this too.
    """

    id: str
    title: str
    function: Function
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    zoo: bool = False


CHECKS: dict[str, Check] = {}


def check(
    id: str, title: str, *, needs: tuple[str, ...] = (), after: tuple[str, ...] = (), zoo: bool = False
) -> Callable[[Function], Function]:
    """Put the decorated function on the list. Order of the list is order of running."""

    def add(function: Function) -> Function:
        if id in CHECKS:
            raise ValueError(f"two checks have the id {id}")
        CHECKS[id] = Check(id, title, function, needs, after, zoo)
        return function

    return add
