"""Collect what libraries warn of while a file is read, in any number of threads at a time."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

#: Libraries that log what they also raise or warn.
_LOGGERS = ("pydicom", "PIL", "nibabel", "nibabel.global", "pylibjpeg", "openjpeg", "libjpeg", "rle")

# Warning filters and logger levels belong to the process, and MONAI's CacheDataset reads in threads: the first reader
# to come sets them and the last to go restores them, so that none leaves another's state behind.
_lock = threading.Lock()
_readers = 0
_restore = ExitStack()
_texts = threading.local()


#: Held while one thread has warning filters of its own, which are the process's.
_filters = threading.RLock()


@contextmanager
def ignored_warnings(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a kind. Threads that do so take turns, else one would bring back another's filters."""
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect this thread's warnings, one line each, instead of showing them.

    Deprecations and the like, which speak to developers, are dropped.

    Yields:
        The list that grows as warnings come.
    """
    global _readers
    outer = getattr(_texts, "list", None)
    _texts.list = []
    with _lock:
        if _readers == 0:
            _redirect()
        _readers += 1
    try:
        yield _texts.list
    finally:
        _texts.list = outer
        with _lock:
            _readers -= 1
            if _readers == 0:
                _restore.close()


def _redirect() -> None:
    _restore.enter_context(warnings.catch_warnings())
    warnings.simplefilter("always")
    show = warnings.showwarning

    def collect(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        texts = getattr(_texts, "list", None)
        if texts is None:  # another thread, which reads nothing
            show(message, category, *args, **kwargs)
        elif issubclass(category, (UserWarning, RuntimeWarning)):
            text = " ".join(str(message).split())
            if text not in texts:
                texts.append(text)

    warnings.showwarning = collect
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        _restore.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL + 1)
