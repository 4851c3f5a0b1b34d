"""The contact sheet: some images of each class and section, with boxes and masks."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data.masks import read_mask
from cxr_common.errors import InputError
from cxr_tools.prepare.located import located
from cxr_tools.prepare.look.cautions import Entry
from cxr_tools.prepare.look.drawing import drawn_picture

#: Group of the images that have labels, none of them present or uncertain.
NOTHING = "no finding"


@dataclass(frozen=True)
class Shown:
    """One picture on the sheet.

    Attributes:
        image: its path.
        uri: the picture, as a data URI.
        present: labels that are present, and below that uncertain.
        uncertain: labels that are uncertain.
        caption: patient and view, where known.
    """

    image: str
    uri: str
    present: list[str]
    uncertain: list[str]
    caption: str


def choose(entries: Sequence[Entry], labels: Sequence[str], section: str, count: int) -> dict[str, list[int]]:
    """Images of a section to show, spread over its order; those with boxes or masks of the class before others.

    Returns:
        Label, or :data:`NOTHING`, -> indices of images; labels without images are left out.
    """
    groups: dict[str, list[tuple[bool, int]]] = {name: [] for name in (*labels, NOTHING)}
    for index, (of, item) in enumerate(entries):
        if of != section:
            continue
        drawn = {labels[i] for i in item.get("box_labels", [])} | {n for n, p in (item.get("mask") or {}).items() if p}
        values = item.get("label") or []
        present = drawn | {name for name, value in zip(labels, values, strict=False) if value == 1}
        for name in present:
            groups[name].append((name in drawn, index))
        if values and not present and all(value in (0, None) for value in values) and 0 in values:
            groups[NOTHING].append((False, index))
    return {name: _spread(found, count) for name, found in groups.items() if found}


def _spread(found: list[tuple[bool, int]], count: int) -> list[int]:
    best = [index for drawn, index in found if drawn] or [index for _, index in found]
    if len(best) < count:
        best += [index for drawn, index in found if index not in set(best)]
    places = np.linspace(0, len(best) - 1, min(count, len(best))).round().astype(int)
    return [best[place] for place in places]


def show(item: Mapping[str, Any], labels: list[str], root: Path) -> Shown:
    """Draw one image.

    Raises:
        InputError: the image cannot be read.
    """
    picture = drawn_picture(located(root, item["image"]), item, labels, _masks(item, root))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    uri = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    values = list(zip(labels, item.get("label") or [], strict=False))
    facts = [str(item[key]) for key in ("patient", "view") if key in item]
    return Shown(
        item["image"],
        uri,
        [name for name, value in values if value == 1],
        [name for name, value in values if value == -1],
        " · ".join(facts),
    )


def _masks(item: Mapping[str, Any], root: Path) -> dict[str, np.ndarray]:
    """Those that can be read; cautions name the others."""
    masks = {}
    for name, path in (item.get("mask") or {}).items():
        if path:
            with suppress(InputError):
                masks[name] = read_mask(located(root, path))
    return masks


def contact_sheet(
    entries: Sequence[Entry], labels: list[str], sections: Sequence[str], count: int, root: Path
) -> list[tuple[str, list[tuple[str, list[Shown]]]]]:
    """(section, [(label, pictures)]) of all sections; images that cannot be read are left out, cautions name them."""
    cache: dict[int, Shown | None] = {}

    def shown(index: int) -> Shown | None:
        if index not in cache:
            try:
                cache[index] = show(entries[index][1], labels, root)
            except InputError:
                cache[index] = None
        return cache[index]

    sheet = []
    for section in sections:
        groups = choose(entries, labels, section, count)
        rows = [(name, [s for i in indices if (s := shown(i)) is not None]) for name, indices in groups.items()]
        sheet.append((section, [(name, pictures) for name, pictures in rows if pictures]))
    return sheet
