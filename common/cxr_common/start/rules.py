"""What a single setting may be."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cxr_common.errors import InputError

#: Processes at once that can still be of use: many more stop the whole machine before any work is done.
MOST_PROCESSES = max(32, 4 * (os.cpu_count() or 1))


class Rule(NamedTuple):
    """A condition on a value, and its name in words: "give <wanted>"."""

    wanted: str
    holds: Callable[[Any], bool]

    def check(self, name: str, value: Any) -> None:
        """Raise one InputError where the condition does not hold."""
        if not self.holds(value):
            shown = repr(value) if len(repr(value)) <= 200 else f"{repr(value)[:200]}..."
            raise InputError(f"is {shown}", f"--{name}", f"give {self.wanted}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def whole(least: int, most: float = math.inf) -> Rule:
    """A whole number from `least` to `most`."""
    upper = "" if most == math.inf else f" and {most} or less"
    return Rule(
        f"a whole number, {least} or more{upper}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most,
    )


def number(low: float = -math.inf, high: float = math.inf, above: bool = False) -> Rule:
    """A finite number from `low` to `high`; with `above`, greater than `low`."""
    lower = "" if low == -math.inf else f" above {low:g}" if above else f", {low:g} or more"
    upper = "" if high == math.inf else f" and {high:g} or less" if lower else f", {high:g} or less"
    return Rule(
        f"a number{lower}{upper} (in YAML with a point: 1.0e-4)",
        lambda value: _is_number(value) and low <= value <= high and not (above and value == low),
    )


def one_of(*choices: Any) -> Rule:
    """One of some values."""
    return Rule(f"one of {', '.join(map(str, choices))}", lambda value: value in choices)


#: True or False; 0 and 1 equal them. The text "false" is none: Python takes any text for true.
SWITCH = Rule("True or False", lambda value: isinstance(value, (bool, int)) and value in (0, 1))


def several(rule: Rule, count: int | None = None) -> Rule:
    """A list of values of one rule, `count` of them or any number but none."""
    how_many = "values" if count is None else f"{count} values"
    return Rule(
        f"a list of {how_many}, each {rule.wanted}",
        lambda value: (
            isinstance(value, Sequence)
            and not isinstance(value, str)
            and (len(value) == count if count is not None else len(value) > 0)
            and all(map(rule.holds, value))
        ),
    )


def either(*rules: Rule) -> Rule:
    """What one of several rules allows."""
    return Rule(" or ".join(rule.wanted for rule in rules), lambda value: any(rule.holds(value) for rule in rules))


def nothing_or(rule: Rule) -> Rule:
    """None, or what a rule allows."""
    return Rule(f"{rule.wanted}; or None (in YAML null)", lambda value: value is None or rule.holds(value))


def is_path(value: Any) -> bool:
    """Whether a value can be the path of a file or folder: text without NUL, no longer than systems allow."""
    text = str(value)
    parts = text.replace("\\", "/").split("/")
    return (
        (isinstance(value, (str, os.PathLike)) or _is_number(value))  # a folder 20260504 arrives as a number
        and 0 < len(text) < 4096
        and "\0" not in text
        and all(len(os.fsencode(part)) <= 255 for part in parts)
    )


PATH = Rule("one path of a file or folder, as text", is_path)
NAME = Rule("a name, as the bundle's card has them", lambda value: isinstance(value, str))


def is_network(value: Any) -> bool:
    """Whether a value is a network."""
    from torch import nn  # only here: the help of a command line needs the other rules

    return isinstance(value, nn.Module)


NETWORK = Rule("a component that is a network", is_network)


def check_device(device: Any) -> None:
    """Refuse a device that cannot compute here."""
    import torch  # only here: the help of a command line needs the other rules

    try:
        torch.zeros(1, device=device).add_(1).item()
    except Exception as error:  # each kind of device has its own exception
        known = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise InputError(f"cannot be used ({reason})", f"--device {device}", f"use {' or '.join(known)}") from error


def check_output_folder(folder: Any, name: str = "output_dir") -> None:
    """Refuse an output folder that is a file, or that cannot be written to."""
    path = Path(str(folder)).expanduser().absolute()
    while not os.path.lexists(path):
        path = path.parent
    if not path.is_dir():
        raise InputError("is not a folder", path, f"choose another {name}")
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError("cannot be written to", path, f"choose another {name}, or change its rights")


def file_check(name: str, required: bool = False) -> Callable[[Any], None]:
    """A check that a setting names a file that is there; or nothing, unless it is required."""

    def check(path: Any) -> None:
        if path is None and required:
            raise InputError("is needed but not given", f"--{name}", "give it the path of a file")
        if path is not None and not Path(str(path)).is_file():
            reason = "is a folder" if Path(str(path)).is_dir() else "there is no such file"
            raise InputError(reason, path, f"{_fetch(Path(str(path)))}give --{name} the path of a file{_none(path)}")

    return check


def _fetch(path: Path) -> str:
    """What to fetch, where a recipe takes a file of a bundle beside its own."""
    if ".." not in path.parts[:-1]:
        return ""
    other = path.parts[path.parts.index("..") + 1]
    return f"fetch the bundle {other} and put its folder beside this one's, or "


def _none(path: Any) -> str:
    """How a command line says that there is none, where what it says is what YAML does."""
    return ", or None" if str(path) == "null" else ""


def folder_check(name: str) -> Callable[[Any], None]:
    """A check that a setting names a folder that is there, or nothing."""

    def check(path: Any) -> None:
        if path is not None and not Path(str(path)).is_dir():
            reason = "is a file" if Path(str(path)).exists() else "there is no such folder"
            raise InputError(reason, path, f"give --{name} the path of a folder{_none(path)}")

    return check
