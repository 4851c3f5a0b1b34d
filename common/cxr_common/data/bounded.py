"""Run a decoder within limits: one that loops or crashes at damaged bytes ends alone, and the batch goes on.

Codestreams can claim more work than their bytes and pixels show: a JPEG has hundreds of scans over the whole image, a
JPEG 2000 millions of packets. So third parties' decoders run in a child process that the system ends in time. A fork
takes some 20 ms, and the pixels come back through a pipe. Where there is no `fork` (Windows) they run unbounded.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

from cxr_common.errors import InputError

T = TypeVar("T")
#: Seconds of processor time for one image; 50 million pixels of JPEG 2000 take about ten.
MAX_SECONDS = 60
#: A busy machine may take so many times as long by the clock.
_PATIENCE = 10
_ACTION = "copy or export the file again"


def bounded(call: Callable[[], T], where: object, seconds: int | None = None) -> T:
    """Call a decoder in a child process of limited time.

    Args:
        call: takes nothing; what it returns, or raises, can be pickled.
        where: the file, for the error.
        seconds: of processor time; None for MAX_SECONDS.

    Returns:
        What the call returns.

    Raises:
        InputError: it takes too long, or ends the process.
        Exception: what the call raises.
    """
    if not hasattr(os, "fork"):
        return call()
    limit = MAX_SECONDS if seconds is None else seconds
    read, write = os.pipe()
    try:
        child = os.fork()
    except OSError:  # no memory for another process
        os.close(read)
        os.close(write)
        return call()
    if child == 0:
        _answer(call, read, write, limit)
    os.close(write)
    try:
        content = _read_all(read, time.monotonic() + _PATIENCE * limit)
    finally:
        os.close(read)
        if not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            os.kill(child, signal.SIGKILL)  # it has nothing more to say
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if content:
        worked, result, doubts = pickle.loads(content)  # of our own child
        for text, kind in doubts:
            warnings.warn(text, kind, stacklevel=2)
        if not worked:
            raise result
        return cast(T, result)
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise InputError(f"decoding takes over {limit} seconds", where, _ACTION)
    raise InputError("the decoder crashed", where, _ACTION)


def _answer(call: Callable[[], Any], read: int, write: int, seconds: int) -> None:
    """In the child: send whether it worked, the result or the error, and warnings; then end at once."""
    import resource

    try:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        allowed = resource.getrlimit(resource.RLIMIT_CPU)[1]  # more than that no process may give itself
        limits = (seconds, seconds + 1) if allowed == resource.RLIM_INFINITY else (min(seconds, allowed), allowed)
        resource.setrlimit(resource.RLIMIT_CPU, limits)  # a new process has used none
        with warnings.catch_warnings(record=True) as caught:
            try:
                worked, result = True, call()
            except Exception as error:
                worked, result = False, _portable(error)
        answer = worked, result, [(str(warning.message), warning.category) for warning in caught]
        with open(write, "wb") as file:
            pickle.dump(answer, file, protocol=pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)


def _portable(error: Exception) -> Exception:
    """The error itself, or one of the same text where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(str(error))
    return error


def _read_all(pipe: int, until: float) -> bytes:
    """Everything up to the pipe's end; nothing where that is not in time."""
    parts: list[bytes] = []
    while True:
        if not select.select([pipe], [], [], max(until - time.monotonic(), 0))[0]:
            return b""
        part = os.read(pipe, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
