"""Command lines of tools: the same checks as for bundles, one `error:` line, and the nearest option for one unknown."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from cxr_common.errors import InputError
from cxr_common.start.nearest import nearest
from cxr_common.start.rules import MOST_PROCESSES, Rule, check_output_folder, whole


def _check_output(path: Path | None) -> None:
    """Refuse an output that cannot be written. A name with a suffix is a file, any other name is a folder."""
    if path is None:
        return
    if not path.suffix:
        check_output_folder(path, "--output")
        return
    if path.is_dir():
        raise InputError("is a folder", path, "give --output the name of a file")
    check_output_folder(path.absolute().parent, "--output")


def _left_out_or(rule: Rule) -> Rule:
    """What a rule allows, or None, which no command line gives: it leaves the option out."""
    return Rule(rule.wanted, lambda value: value is None or rule.holds(value))


#: Name of a tool's option -> check of its value, whatever the tool.
OPTIONS: dict[str, Callable[[Any], None]] = {
    "output": _check_output,
    "work": lambda path: None if path is None else check_output_folder(path, "--work"),
    **{
        name: partial(rule.check, name)
        for names, rule in (
            (("seed",), whole(0)),
            (("training", "validation", "testing"), _left_out_or(whole(0))),
            (("processes", "parallel", "workers", "threads"), whole(1, MOST_PROCESSES)),
            (("repeats",), whole(1)),
            (("size",), _left_out_or(whole(1))),
        )
        for name in names
    },
}


class ToolParser(argparse.ArgumentParser):
    """An ``ArgumentParser`` whose refusals are one ``error:`` line (exit status 2) and name the nearest option.

    Values of :data:`OPTIONS` are checked when all are read. Parsers of commands are of this class too.
    """

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Read and check the command line.

        Raises:
            InputError: an option has a value that it cannot have.
        """
        if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
            with suppress(ImportError):
                import argcomplete

                argcomplete.autocomplete(self)
        found = super().parse_args(args, namespace)
        for name, value in vars(found).items():
            if name in OPTIONS:
                OPTIONS[name](value)
        return found

    def error(self, message: str) -> NoReturn:
        """Print the message as one line, and end the process."""
        if unknown := re.match(r"unrecognized arguments: (--?[^\s=]+)", message):
            guess = nearest(unknown[1].lstrip("-"), self._options())
            message = f"{unknown[1]}: there is no such option" + (f"; did you mean --{guess}?" if guess else "")
        elif chosen := re.match(r"(?:argument [^:]+: )?invalid choice: '([^']+)' \(choose from (.*)\)", message):
            guess = nearest(chosen[1], re.findall(r"[\w-]+", chosen[2]))
            message += f"; did you mean {guess}?" if guess else ""
        self.exit(2, f"error: {message} ({self.prog} --help lists what there is)\n")

    def _options(self) -> list[str]:
        names = []
        for action in self._actions:
            names += [text.lstrip("-") for text in action.option_strings]
            if isinstance(action, argparse._SubParsersAction):
                names += [name for parser in action.choices.values() for name in parser._options()]
        return names
