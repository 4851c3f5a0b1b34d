"""Command lines: one line for a user's mistake, a traceback only for ours."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec

from cxr_common.errors import InputError, causes, find_input_error
from cxr_common.machine_errors import find_machine_error

P = ParamSpec("P")

#: Files of MONAI that read configurations and make what they name, and how they begin to wrap an exception.
_PARSER = (
    *(f"monai/bundle/{name}.py" for name in ("config_item", "config_parser", "reference_resolver", "utils")),
    "monai/utils/module.py",
)
_WRAPPERS = ("Failed to evaluate", "Failed to instantiate")
_COMPONENT = re.compile(r"Failed to instantiate component '([^']+)'")


def find_config_error(error: BaseException) -> InputError | None:
    """A mistake in the text of a configuration as an InputError; None for an exception that arose in code.

    The text is at fault where the first exception was raised by MONAI's parser itself, by its call of a component
    (which has no such argument), or by an expression's own text; or where a component refused a value when it was made
    (ValueError, a division by zero), unless it was already reading images.
    """
    chain = list(causes(error))
    if not any(str(cause).startswith(_WRAPPERS) for cause in chain):
        return None
    first, frames = chain[-1], traceback.extract_tb(chain[-1].__traceback__)
    called = [found for cause in chain if (found := _COMPONENT.search(str(cause)))]
    refused = (
        called
        and isinstance(first, (ValueError, ArithmeticError))
        and not any("applying transform" in str(c) for c in chain)
    )
    no_python = isinstance(first, SyntaxError) and first.filename in ("<string>", "<unknown>")  # an expression's text
    if not refused and not no_python and not (frames and frames[-1].filename.endswith(("<string>", *_PARSER))):
        return None
    where = called[-1][1] if called else "the configuration"
    reason = f"{type(first).__name__}: {str(first).strip().splitlines()[0] if str(first).strip() else 'no details'}"
    return InputError(reason.rstrip("."), where, "check the options given and the config files")


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    mistake = find_input_error(error) or find_machine_error(error) or find_config_error(error)
    if mistake is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"error: {mistake}", file=sys.stderr)  # noqa: T201


def report_input_errors(join: Callable[[], object] | None = None) -> None:
    """Begin the run of a bundle: show errors of its user as one line, and check that the run can work.

    Bundle configs call it as the first item of ``run``. From here on an uncaught :class:`InputError`, a mistake in the
    configuration, or memory that runs out, is shown as ``error: <text>`` without a traceback; the exit status stays 1.
    Other exceptions are untouched.

    Args:
        join: what brings the processes of a distributed run together, before the checks ask how many there are.

    Raises:
        InputError: the run cannot work; see :mod:`cxr_common.start`.
    """
    from cxr_common.start.check import check_start  # only what a run needs

    sys.excepthook = _hook
    if join is not None:
        join()
    check_start()


def one_line_errors(main: Callable[P, int]) -> Callable[P, int]:
    """Decorates the ``main`` of a tool: its user's mistake is shown as one line, and the exit status is 1.

    That is an :class:`InputError`, also one that MONAI's transforms have wrapped, a mistake in the configuration, or
    memory that runs out. After Ctrl-C the status is 130, as shells have it.
    """

    @wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return main(*args, **kwargs)
        except InputError as error:
            mistake = error
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)  # noqa: T201
            return 130
        except Exception as error:
            found = find_input_error(error) or find_machine_error(error) or find_config_error(error)
            if found is None:
                raise
            mistake = found
        print(f"error: {mistake}", file=sys.stderr)  # noqa: T201
        return 1

    return wrapped
