"""Collect or drop warnings, in any number of threads at a time."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

#: Libraries that log what they also raise or warn.
_LOGGERS = ("pydicom", "PIL", "nibabel", "nibabel.global", "pylibjpeg", "openjpeg", "libjpeg", "rle")

# Warning filters and logger levels belong to the process, and images are read and results written in threads: the first
# to come sets them and the last to go restores them, so that none leaves another's state behind. What becomes of a
# warning is each thread's own matter, so that none loses another's.
_lock = threading.Lock()
_users = 0
_restore = ExitStack()
_local = threading.local()
#: Gets a warning of its thread; False hands it on to whoever shows warnings.
_Take = Callable[[Warning | str, type[Warning]], bool]
#: The others, deprecations and the like, speak to developers.
_FOR_USERS = (UserWarning, RuntimeWarning)


@contextmanager
def ignored_warnings(ignored: type[Warning] = Warning) -> Iterator[None]:
    """Drop this thread's warnings of a kind, and those that speak to developers."""
    outer: _Take | None = getattr(_local, "take", None)

    def take(message: Warning | str, category: type[Warning]) -> bool:
        if issubclass(category, ignored) or not issubclass(category, _FOR_USERS):
            return True
        return outer is not None and outer(message, category)

    with _taking(take):
        yield


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect this thread's warnings, one line each, instead of showing them.

    Deprecations and the like, which speak to developers, are dropped.

    Yields:
        The list that grows as warnings come.
    """
    texts: list[str] = []

    def take(message: Warning | str, category: type[Warning]) -> bool:
        text = " ".join(str(message).split())
        if issubclass(category, _FOR_USERS) and text not in texts:
            texts.append(text)
        return True

    with _taking(take):
        yield texts


@contextmanager
def _taking(take: _Take) -> Iterator[None]:
    """Hand this thread's warnings over."""
    global _users
    outer = getattr(_local, "take", None)
    _local.take = take
    with _lock:
        if _users == 0:
            _redirect()
        _users += 1
    try:
        yield
    finally:
        _local.take = outer
        with _lock:
            _users -= 1
            if _users == 0:
                _restore.close()


def _redirect() -> None:
    _restore.enter_context(warnings.catch_warnings())
    warnings.simplefilter("always")
    show = warnings.showwarning

    def hand_over(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        take: _Take | None = getattr(_local, "take", None)
        if take is None or not take(message, category):
            show(message, category, *args, **kwargs)

    warnings.showwarning = hand_over
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        _restore.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL + 1)
