"""Which items with masks a mode of supervision learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cxr_common.data.datalist_schema import Item
from cxr_common.errors import InputError

MODES: tuple[str, ...] = ("sample", "concat", "expert", "pseudo")


def supervised_items(items: Sequence[Mapping[str, Any]], mode: str = "sample") -> list[Item]:
    """The items that a mode learns from, experts' first.

    Args:
        items: datalist items; those without masks are left out.
        mode: "sample" and "concat" take both kinds, "expert" and "pseudo" the one kind.

    Raises:
        InputError: a kind that the mode needs is missing, masks do not say whose they are, or the mode is not known.
            "concat" takes what is there.
    """
    if mode not in MODES:
        raise InputError(f"supervision mode is {mode!r}", "training data", f"use one of {', '.join(MODES)}")
    masked = [dict(item) for item in items if item.get("mask")]
    if mode != "concat":
        for item in masked:
            if "mask_origin" not in item:
                raise InputError("masks without mask_origin", item.get("image"), "say expert or pseudo in the datalist")
    wanted = ("expert", "pseudo") if mode in ("sample", "concat") else (mode,)
    kinds = {kind: [item for item in masked if item.get("mask_origin", "expert") == kind] for kind in wanted}
    missing = [kind for kind in wanted if not kinds[kind]]
    if missing and (mode != "concat" or missing == list(wanted)):
        reason = f"no image has {' or '.join(missing)} masks, which the mode {mode!r} learns from"
        raise InputError(reason, "training data", "add some, or choose another mode")
    return [item for kind in wanted for item in kinds[kind]]
