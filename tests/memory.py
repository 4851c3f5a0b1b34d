"""Memory of a test process: given back after large tests, and held below a limit.

A bundle's workflow is full of reference cycles (engines, handlers, parser). Python collects them late, and glibc keeps
freed pages to itself: after four trainings in one process all tensors were collectable, and of 1.1 GB half was pages
that glibc kept. After the tests of exports no garbage was left, 13 MB were live tensors, and trimming gave back 191 of
879 MB. So free pages go back often, which takes milliseconds; garbage, which takes longer, is collected less often.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

MIB = 2**20
#: The most that one test process may need at any time; 2 GiB is the goal. The highest measured was
#: 2,947 MiB, in a process that had run some 3,000 tests.
LIMIT = 3584 * MIB
#: Growth after which free pages are given back, and growth after which garbage is collected first.
FREED = 64 * MIB
GROWTH = 256 * MIB


class Memory:
    """Watches this process; does nothing where the system is not Linux."""

    def __init__(self) -> None:
        self.after_collection = 0
        self.after_trim = 0
        self.highest = 0

    def give_back(self) -> None:
        """Return free pages to the system, and collect garbage before, if the process grew since the last time."""
        grown = usage("VmRSS")
        collect = grown > self.after_collection + GROWTH
        if collect:
            gc.collect()
        if collect or grown > self.after_trim + FREED:
            if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):  # glibc; musl has none
                libc.malloc_trim(0)
            self.after_trim = usage("VmRSS")
        if collect:
            self.after_collection = self.after_trim

    def complaint(self) -> str | None:
        """What to say if the process went over the limit since the last call, otherwise None."""
        before, self.highest = self.highest, usage("VmHWM")
        if self.highest <= max(LIMIT, before):
            return None
        return f"the test process needed {self.highest // MIB} MiB, more than the {LIMIT // MIB} MiB of tests/memory.py"


def usage(field: str) -> int:
    """Bytes in memory now (``VmRSS``) or at most so far (``VmHWM``).

    Not `resource.getrusage`, which counts what the parent had before it started this process.
    """
    if sys.platform != "linux":
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)
