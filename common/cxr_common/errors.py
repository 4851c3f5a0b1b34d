"""One error for bad input: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cxr_common.text import printable, without_addresses

#: Characters of a line of an error that are shown: a cell or a name from outside can have millions.
_MOST = 1000


class InputError(ValueError):
    """Raised for input a user can mend: a file, a table, a setting.

    Args:
        reason: what is wrong, lower case, without a full stop.
        where: file, section, index or field the reason speaks of.
        action: what the user can do about it.

    The text reads ``<where>: <reason>; <action>`` on one line, so it can be shown without a traceback. A reason may go
    on in indented lines. Control characters are escaped, and lines are cut at 1000 characters.

    Example:
        >>> str(InputError("is empty", "images.csv", "add a row for each image"))
        'images.csv: is empty; add a row for each image'
    """

    def __init__(self, reason: str, where: object = None, action: str | None = None) -> None:
        self.reason = "\n".join(map(_cut, without_addresses(reason).split("\n")))
        self.where = None if where is None else str(where)
        self.action = None if action is None else _cut(action)
        super().__init__(str(self))

    def __str__(self) -> str:
        # No line but an indented one can be forged by a name within the reason.
        reason = "\n  ".join(map(printable, self.reason.split("\n  ")))
        text = reason if self.where is None else f"{printable(self.where)}: {reason}"
        return text if not self.action else f"{text}; {printable(self.action)}"

    def __reduce__(self) -> tuple[type[InputError], tuple[str, object, str | None]]:
        # The default would call __init__ with the joined text only; loader workers send errors by pickle.
        return type(self), (self.reason, self.where, self.action)


def _cut(line: str) -> str:
    return line if len(line) <= _MOST else f"{line[: _MOST * 3 // 4]} ... {line[-_MOST // 4 :]}"


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what caused it, through the wrappers MONAI's config parser puts around it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def own_input_error(error: BaseException) -> InputError | None:
    """The InputError that caused an exception, also one of another bundle's copy of this package, as one of this."""
    for cause in causes(error):
        if type(cause).__name__ == InputError.__name__ and all(
            hasattr(cause, n) for n in ("reason", "where", "action")
        ):
            return InputError(cause.reason, cause.where, cause.action)  # type: ignore[attr-defined]
    return None


@contextmanager
def own_input_errors() -> Iterator[None]:
    """Raise what :func:`own_input_error` finds in place of an exception; other exceptions as they are."""
    try:
        yield
    except Exception as error:
        if (own := own_input_error(error)) is not None:
            raise own from error
        raise


def find_input_error(error: BaseException | None) -> InputError | None:
    """The InputError that caused an exception, looking through the wrappers MONAI's config parser puts around it."""
    return next((cause for cause in causes(error) if isinstance(cause, InputError)), None)
