"""Command lines: one line for a user's mistake, a traceback only for ours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec

from cxr_common.errors import InputError

P = ParamSpec("P")


def find_input_error(error: BaseException | None) -> InputError | None:
    """The InputError that caused an exception, looking through the wrappers MONAI's config parser puts around it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, InputError):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    mistake = find_input_error(error)
    if mistake is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"error: {mistake}", file=sys.stderr)  # noqa: T201


def report_input_errors() -> None:
    """Show an uncaught :class:`InputError` as ``error: <text>`` without a traceback; the exit status stays 1.

    Bundle configs call it as the first item of ``run``. Other exceptions are untouched.
    """
    sys.excepthook = _hook


def one_line_errors(main: Callable[P, int]) -> Callable[P, int]:
    """Decorates the ``main`` of a tool: an :class:`InputError` is shown as one line, and the exit status is 1."""

    @wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return main(*args, **kwargs)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201
            return 1

    return wrapped
