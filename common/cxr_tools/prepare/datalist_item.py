"""One item of a datalist from one record of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxr_tools.prepare.datasets.base import DrawMask, Reading, Record
from cxr_tools.prepare.record_checks import check_boxes
from cxr_tools.prepare.shared_labels import LabelChoice

if TYPE_CHECKING:
    from cxr_tools.prepare.mask_folder import MaskFolder


def checked_image_size(record: Record, file: Path | None) -> tuple[int, int] | None:
    """The size of an image with boxes or masks, after a check that these fit it.

    Args:
        record: of the image.
        file: the image; None where there is none.

    Returns:
        (width, height); None for an image without boxes and masks, or whose size cannot be told.

    Raises:
        InputError: a box leaves the image, or the image has another size than the data set says; names the row.
    """
    from cxr_common.data.image_size import upright_size  # only here: it needs torch

    if file is None or not (record.item.get("boxes") or record.masks):
        return None
    if (size := upright_size(file)) is not None:
        check_boxes(record, size)
    return size


def make_item(
    record: Record,
    path: str,
    file: Path | None,
    size: tuple[int, int] | None,
    labels: LabelChoice,
    reading: Reading,
    masks: MaskFolder,
) -> dict[str, Any]:
    """The item of an image; its masks are written.

    Args:
        record: of the image.
        path: of the image, relative to the data set root.
        file: the image; None where there is none.
        size: (width, height) of the image, where it is known.
        labels: which labels.
        reading: the data set.
        masks: where masks are written.
    """
    item: dict[str, Any] = {"image": path}
    given = dict(record.item)
    if file is not None and reading.complete is not None:
        reading.complete(file, given)
    for key, value in given.items():
        if key == "label":
            item["label"] = labels.label(value)
        elif key == "boxes":
            item |= labels.boxes(given)
        elif key != "box_labels":
            item[key] = value
    if record.masks is not None:
        drawn: dict[str, list[DrawMask | None]] = {}
        for name, draw in record.masks.items():
            if (target := labels.target(name)) is not None:
                drawn.setdefault(target, []).append(draw)
        item |= {"mask": masks.write(path, drawn, size), "mask_origin": given.get("mask_origin", "expert")}
    return item
