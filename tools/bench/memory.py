"""Peak memory of a process and those it started, as the kernel accounts for it (Linux)."""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path
from types import TracebackType


class PeakMemory:
    """Looks ten times per second how much memory this process and its loader processes hold.

    What processes share counts once: the sum of their proportional set sizes. Pages of mapped files count as long as
    they are mapped; the system's cache of files does not.
    """

    def __init__(self) -> None:
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def megabytes(self) -> float:
        """The most so far, in millions of bytes."""
        return self._peak / 1e6

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            ids = [os.getpid(), *(process.pid for process in multiprocessing.active_children() if process.pid)]
            self._peak = max(self._peak, sum(map(held, ids)))


def held(process: int) -> int:
    """Bytes that a process holds: its proportional set size; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def reset_peak() -> int:
    """Let the kernel count this process's peak of resident memory anew; the bytes that are resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def resident_peak() -> int:
    """The most resident bytes since :func:`reset_peak`.

    Not ``ru_maxrss``: a new process begins with the peak of the one that started it.
    """
    return _status("VmHWM")


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))
