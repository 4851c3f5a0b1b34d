"""Run a decoder within limits: one that loops or crashes at damaged bytes ends alone, and the batch goes on.

Codestreams can claim more work than their bytes and pixels show: a JPEG has hundreds of scans over the whole image, a
JPEG 2000 millions of packets. So third parties' decoders run in a child process that the system ends in time. A fork
takes some 20 ms, and the pixels come back through a pipe. Where there is no `fork` (Windows) they run unbounded.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import select
import signal
import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from cxr_common.errors import InputError

T = TypeVar("T", np.ndarray, bytes)
E = TypeVar("E", bound=Exception)
#: Seconds of processor time for one image; 50 million pixels of JPEG 2000 take about ten.
MAX_SECONDS = 60
#: A busy machine may take so many times as long by the clock.
_PATIENCE = 10
_ACTION = "copy or export the file again"


def bounded(call: Callable[[], T], where: object, seconds: int | None = None) -> T:
    """Call a decoder in a child process of limited time.

    Args:
        call: takes nothing.
        where: the file, for the error.
        seconds: of processor time; None for MAX_SECONDS.

    Returns:
        What the call returns.

    Raises:
        InputError: it takes too long, or ends the process.
        Exception: what the call raises; a RuntimeError of the same text for exceptions that are not Python's own.
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
        return cast(T, _unpacked(content))
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
        head: dict[str, Any] = {"error": None, "bytes": False}
        result: np.ndarray | bytes = b""
        with warnings.catch_warnings(record=True) as caught:
            try:
                result = call()
                head["bytes"] = isinstance(result, bytes)
            except InputError as error:
                head["error"] = ["InputError", error.reason, error.where, error.action]
            except Exception as error:
                head["error"] = [type(error).__name__, str(error)]
        head["doubts"] = [[str(warning.message), warning.category.__name__] for warning in caught]
        payload = io.BytesIO()
        np.save(payload, np.frombuffer(result, np.uint8) if isinstance(result, bytes) else result, allow_pickle=False)
        with open(write, "wb") as file:
            file.write(json.dumps(head).encode() + b"\n")
            file.write(payload.getbuffer())
    finally:
        os._exit(0)


def _unpacked(content: bytes) -> np.ndarray | bytes:
    """What the child sent, which saw damaged bytes: so it is data, and no pickle that could run code here."""
    first, _, payload = content.partition(b"\n")
    head = json.loads(first)
    for text, kind in head["doubts"]:
        warnings.warn(text, _own(kind, UserWarning), stacklevel=3)
    if head["error"] is not None:
        name, *parts = head["error"]
        raise InputError(*parts) if name == "InputError" else _own(name, RuntimeError)(*parts)
    array: np.ndarray = np.load(io.BytesIO(payload), allow_pickle=False)
    return array.tobytes() if head["bytes"] else array


def _own(name: str, default: type[E]) -> type[E]:
    """Python's own exception or warning of a name that takes one text, else the default."""
    kind = getattr(builtins, name, None)
    if not isinstance(kind, type) or issubclass(kind, UnicodeError):
        return default
    return cast(type[E], kind) if issubclass(kind, Warning if default is UserWarning else Exception) else default


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
