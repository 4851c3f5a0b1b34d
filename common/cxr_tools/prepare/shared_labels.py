"""Records of a data set over another list of labels: some of its own, or the list that all shipped weights share."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from cxr_tools.prepare.datasets.base import Reading, SharedRule


@dataclass(frozen=True)
class LabelChoice:
    """Which labels a datalist gets.

    Attributes:
        own: the data set's labels.
        rules: label of the datalist -> the data set's label, any of several, or None: not annotated.
    """

    own: list[str]
    rules: Mapping[str, SharedRule | None]

    def label(self, values: Sequence[int | None]) -> list[int | None]:
        """One value per label of the datalist, from one value per label of the data set."""
        if list(self.rules) == self.own:
            return list(values)
        return [self._value(rule, values) for rule in self.rules.values()]

    def target(self, name: str) -> str | None:
        """The label that a box or mask of the data set's class goes to; a label of this class alone goes first."""
        exact = [label for label, rule in self.rules.items() if rule == name]
        gathered = [label for label, rule in self.rules.items() if isinstance(rule, tuple) and name in rule]
        return next(iter([*exact, *gathered]), None)

    def boxes(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """The boxes of an item whose classes are chosen; ``box_findings`` where a class gathers several."""
        names = [self.own[index] for index in item["box_labels"]]
        kept = [
            (box, target, name) for box, name in zip(item["boxes"], names, strict=True) if (target := self.target(name))
        ]
        chosen = list(self.rules)
        boxes: dict[str, Any] = {
            "boxes": [box for box, _, _ in kept],
            "box_labels": [chosen.index(target) for _, target, _ in kept],
        }
        if any(isinstance(rule, tuple) for rule in self.rules.values()):
            boxes["box_findings"] = [name for _, _, name in kept]
        return boxes

    def _value(self, rule: SharedRule | None, values: Sequence[int | None]) -> int | None:
        if rule is None:
            return None
        if isinstance(rule, str):
            return values[self.own.index(rule)]
        parts = [values[self.own.index(name)] for name in rule]
        if 1 in parts:
            return 1
        if all(value == 0 for value in values):  # another finding does not rule the umbrella out
            return 0
        return -1 if -1 in parts else None


def choose_labels(reading: Reading, wanted: str | None) -> LabelChoice:
    """The labels that ``--labels`` asks for.

    Args:
        reading: of the data set.
        wanted: None: all of its own; ``shared``: the list that all shipped weights share; else names, by commas.

    Raises:
        InputError: a name is none of the data set's.
    """
    own = reading.labels
    if wanted is None:
        return LabelChoice(own, {name: name for name in own})
    if wanted == "shared":
        if not reading.shared:
            raise InputError("shared: this data set has none of the shared labels", "--labels", "leave the option out")
        return LabelChoice(own, {name: _known(reading.shared.get(name), own) for name in LABELS})
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in own:
            close = difflib.get_close_matches(name, own, n=1)
            action = f"did you mean {close[0]}?" if close else f"they are {', '.join(own)}"
            raise InputError(f"{name!r} is none of the data set's labels", "--labels", action)
    return LabelChoice(own, {name: name for name in names})


def _known(rule: SharedRule | None, own: Sequence[str]) -> SharedRule | None:
    """A rule as far as the data set has its labels: tables differ from one release to the next."""
    if isinstance(rule, tuple):
        return tuple(name for name in rule if name in own) or None
    return rule if rule in own else None
