"""Whether data say anything to learn from or to score with."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cxr_common.data.supervision import supervised_items
from cxr_common.errors import InputError

Items = Sequence[Mapping[str, Any]]
logger = logging.getLogger(__name__)


def _values(items: Items) -> Iterator[tuple[int, float]]:
    """Class index and value of each annotated label."""
    for item in items:
        for index, value in enumerate(item.get("label") or ()):
            if value is not None and value == value:  # NaN is the only value that is not itself
                yield index, value


def _count(items: Items) -> str:
    return f"{len(items)} image{'s' if len(items) != 1 else ''}"


def has_boxes(items: Items) -> bool:
    """Whether any image has a box."""
    return any(item.get("boxes") for item in items)


def has_masks(items: Items) -> bool:
    """Whether any class of any image is annotated with a mask that is not empty."""
    return any(path is not None for item in items for path in (item.get("mask") or {}).values())


def check_labels(section: str, items: Items, labels: Sequence[str], policy: str) -> None:
    """Refuse data whose labels say nothing; warn of classes that no label says anything about.

    Args:
        section: named in messages.
        items: datalist items.
        labels: class names.
        policy: of uncertain labels (-1); they say nothing where they are ignored.

    Raises:
        InputError: there is no label to learn from, or to choose the best epoch by.
    """
    counts = Counter((index, value) for index, value in _values(items) if policy != "ignore" or value != -1)
    if not counts:
        uncertain = any(value == -1 for _, value in _values(items))
        reason = f"none of its {_count(items)} has a label of 1 or 0" + (", only -1" if uncertain else "")
        action = "annotate some" + (", or give --label_policy zeros, ones or soft" if uncertain else "")
        raise InputError(reason, f"datalist, {section}", action)
    known = {index for index, _ in counts}
    if unknown := [name for index, name in enumerate(labels) if index not in known]:
        logger.warning("%s: no image is annotated for %s; do not trust what it says of it", section, ", ".join(unknown))
    never = [name for index, name in enumerate(labels) if index in known and not counts[index, 1]]
    if never and policy not in ("ones", "soft"):
        logger.warning("%s: no image has %s", section, ", ".join(never))


def check_training_labels(items: Items, labels: Sequence[str], policy: str) -> None:
    """:func:`check_labels` of the training section."""
    check_labels("training", items, labels, policy)


def check_validation_labels(items: Items, labels: Sequence[str], policy: str) -> None:
    """:func:`check_labels` of the validation section, by which the best epoch is chosen."""
    check_labels("validation", items, labels, policy)


def check_validation_masks(items: Items) -> None:
    """Refuse a validation section without a mask: the best epoch is chosen by them."""
    if not has_masks(items):
        raise InputError(f"none of its {_count(items)} has a mask", "datalist, validation", "annotate some")


def check_validation_boxes(items: Items) -> None:
    """Refuse a validation section without a box: the best epoch is chosen by them."""
    if not has_boxes(items):
        raise InputError(f"none of its {_count(items)} has a box", "datalist, validation", "annotate some")


def check_supervision(items: Items, boxes: int, labels: int) -> None:
    """Refuse training data of a detector with neither a box nor a label in what is drawn of them."""
    if not (boxes and has_boxes(items)) and not (labels and any(value != -1 for _, value in _values(items))):
        raise InputError(
            f"none of its {_count(items)} has a box, or a label of 1 or 0, that a batch has a place for",
            "datalist, training",
            "annotate some, or give --boxes_per_batch or --labels_per_batch 1 or more",
        )


def masked_items(items: Items, mode: str) -> Items:
    """The items that a mode of supervision learns from; see :func:`~cxr_common.data.supervision.supervised_items`."""
    return supervised_items(items, mode)


def check_training_masks(items: Items, mode: str) -> None:
    """Refuse training data without the masks that a mode of supervision learns from."""
    if not has_masks(masked_items(items, mode)):
        raise InputError(f"all masks of its {_count(items)} are empty", "datalist, training", "annotate some findings")


def check_scored(items: Items) -> None:
    """Refuse to score data without annotations."""
    annotated = any(value != -1 for _, value in _values(items)) or any(
        item.get(key) is not None for item in items for key in ("boxes", "mask", "label_map")
    )
    if not annotated:
        reason = f"nothing is annotated in {_count(items)}, so there is nothing to score"
        raise InputError(reason, "datalist", "annotate some, or choose another --section")


def check_scored_masks(items: Items) -> None:
    """Refuse to score masks on data that have none."""
    if not has_masks(items) and not any(item.get("label_map") for item in items):
        raise InputError(f"none of {_count(items)} has a mask to score with", "datalist", "choose another --section")


def check_heatmaps(items: Items, localizer: Any) -> None:
    """Refuse images without a heatmap where no localiser makes them."""
    missing = [item["image"] for item in items if "heatmap" not in item]
    if localizer is None and missing:
        action = "give --heatmap_dir, name heatmaps in the datalist, or give --localizer a bundle"
        raise InputError(f"has no heatmap ({len(missing)} of {_count(items)} without one)", missing[0], action)
