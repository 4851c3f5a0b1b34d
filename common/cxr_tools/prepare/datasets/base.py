"""The protocol of the readers of public data sets, one small module per data set."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cxr_common.errors import InputError

#: Draws a mask, bool (width, height), for an image of this size; None: the size is not known, as no file is there.
DrawMask = Callable[["tuple[int, int] | None"], np.ndarray]
#: How a label of another list follows from those of the data set: one of the same meaning, or any of several.
SharedRule = str | tuple[str, ...]


class Place(Protocol):
    """Where something stands: a row of a table, an entry of a JSON file."""

    @property
    def place(self) -> str:
        """File and line, or file and entry."""

    def error(self, column: str, reason: str, action: str | None = None) -> InputError:
        """An error at one cell there."""


@dataclass(frozen=True)
class JsonPlace:
    """An entry of a JSON file, such as ``images[3]``."""

    path: Path
    entry: str

    @property
    def place(self) -> str:
        """File and entry."""
        return f"{self.path} {self.entry}"

    def error(self, column: str, reason: str, action: str | None = None) -> InputError:
        """An error at one key of the entry."""
        return InputError(reason, f"{self.place} {column!r}", action)


@dataclass(slots=True)
class Record:
    """One image as its data set describes it.

    Attributes:
        place: where that stands.
        paths: where its file may lie, relative to the root; the first that is there counts, else the first.
        item: what the datalist says of it but ``image``: ``label`` (over the data set's own names), ``patient``,
            ``boxes`` and ``box_labels``, ``view``.
        split: the data set's own name of its split; None where it has none.
        masks: class -> what draws its mask, or None: annotated, empty. An absent class is not annotated.
        by_name: whether the file is also looked for by its name in all folders of the root.
        column: column or key that names the image, for errors.
        size: (width, height) of the image that its boxes and masks are for, where the data set tells it.
    """

    place: Place
    paths: tuple[str, ...]
    item: dict[str, Any]
    split: str | None = None
    masks: Mapping[str, DrawMask | None] | None = None
    by_name: bool = False
    column: str = "image"
    size: tuple[int, int] | None = None


@dataclass
class Reading:
    """A data set whose records are read one after the other.

    Attributes:
        labels: its own names of classes.
        records: its images, in the order of its table.
        total: how many there are, for the progress bar.
        splits: its names of splits -> section.
        shared: label of the list that shipped weights share -> rule; labels that are not here are not annotated.
        notes: sentences for the summary; readers add to it until the last record.
        complete: called for an image's record to add what only its file tells, such as a DICOM header's patient.
    """

    labels: list[str]
    records: Iterable[Record]
    total: int | None = None
    splits: Mapping[str, str | None] = field(default_factory=dict)
    shared: Mapping[str, SharedRule] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    complete: Callable[[Path, dict[str, Any]], None] | None = None


class Dataset(Protocol):
    """A module of this package."""

    #: Its command.
    NAME: str
    #: Other names of it.
    ALIASES: tuple[str, ...]
    #: One line: the data set and where it comes from.
    TITLE: str

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Options of its own."""

    def read(self, root: Path, options: argparse.Namespace) -> Reading:
        """Read its tables.

        Raises:
            InputError: a table is missing or bad, with file, line and remedy; also while records are asked for.
        """


def checked_box(place: Place, column: str, box: Sequence[float]) -> list[float]:
    """A box (x0, y0, x1, y1), rounded to 1/10,000 pixel.

    Raises:
        InputError: it is not of four numbers, not finite, empty or inverted, or begins outside the image by a pixel or
            more; less is set to 0, for tables round.
    """
    if len(box) != 4:
        raise place.error(column, f"{list(box)} is not a box of four numbers", "give x0, y0, x1, y1")
    if not all(math.isfinite(v) for v in box) or not (box[0] < box[2] and box[1] < box[3]):
        raise place.error(column, f"makes an empty box {list(box)}", "correct the row, or take it out")
    if min(box) <= -1:
        raise place.error(column, f"makes a box that begins outside the image, {list(box)}", "correct the row")
    rounded = [max(0.0, round(v, 4)) for v in box]
    return [int(v) if v.is_integer() else v for v in rounded]


def label_index(place: Place, column: str, name: str, labels: Sequence[str]) -> int:
    """The index of a class.

    Raises:
        InputError: there is no such class.
    """
    if name not in labels:
        action = f"classes are {', '.join(labels)}; correct the name"
        raise place.error(column, f"{name!r} is an unknown label", action)
    return labels.index(name)


def forward_slashes(path: str) -> str:
    """A path of a table that was written on Windows or elsewhere, relative and with forward slashes."""
    return path.strip().replace("\\", "/").removeprefix("./").lstrip("/")


def file_name(path: str) -> str:
    """The last part of a path, whichever slashes it has."""
    return forward_slashes(path).rpartition("/")[2]
