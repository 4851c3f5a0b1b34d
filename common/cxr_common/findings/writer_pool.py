"""Threads that write results beside the network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")

#: Jobs for each thread that are taken before the caller has to wait: one that it works at and one that is ready.
_AHEAD = 2


class WriterPool(Generic[T]):
    """Does jobs in a few threads, and hands over their results in the order of the jobs.

    Drawing and compressing leave Python's lock most of the time, so that threads do them beside the network, and no
    process needs a copy of it. The caller waits where too many jobs are unfinished, so what they hold in memory is
    bounded.

    Args:
        threads: how many; 0 does each job at once, in the caller's thread.
        take: gets each result, in the caller's thread.
    """

    def __init__(self, threads: int, take: Callable[[T], object]) -> None:
        self.threads, self._take = threads, take
        self._jobs: deque[Future[T]] = deque()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, job: Callable[[], T]) -> None:
        """Take a job, which should return what went wrong rather than raise it."""
        if not self.threads:
            self._take(job())
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="writer")
        self._jobs.append(self._pool.submit(job))
        while self._jobs and (self._jobs[0].done() or len(self._jobs) >= _AHEAD * self.threads):
            self._take(self._jobs.popleft().result())

    def finish(self) -> None:
        """Wait for all jobs, and let the threads go."""
        while self._jobs:
            self._take(self._jobs.popleft().result())
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
