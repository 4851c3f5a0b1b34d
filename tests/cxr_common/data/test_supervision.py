from __future__ import annotations

import pytest

from cxr_common.data.supervision import supervised_items
from cxr_common.errors import InputError


def items(experts=4, pseudo=16):
    """Pseudo items first and some without masks between: the order in the datalist does not matter."""
    kinds = [("pseudo", pseudo), ("expert", experts)]
    made = [{"image": f"{kind}{i}", "mask": {"a": None}, "mask_origin": kind} for kind, n in kinds for i in range(n)]
    made.insert(3, {"image": "label only", "label": [1]})
    made.insert(9, {"image": "no class of ours", "mask": {}})
    return made


@pytest.mark.parametrize(
    ("experts", "pseudo", "mode", "missing"),
    [(0, 3, "sample", "expert"), (3, 0, "sample", "pseudo"), (0, 3, "expert", "expert"), (3, 0, "pseudo", "pseudo")],
)
def test_a_missing_kind_is_one_clear_error(experts, pseudo, mode, missing):
    with pytest.raises(InputError, match=f"no image has {missing} masks, which the mode '{mode}' learns from"):
        supervised_items(items(experts, pseudo), mode)


def test_concat_takes_what_is_there():
    assert len(supervised_items(items(3, 0), "concat")) == 3
    anonymous = [{"image": "a.png", "mask": {"a": None}}]
    assert supervised_items(anonymous, "concat") == anonymous
    with pytest.raises(InputError, match="no image has expert or pseudo masks"):
        supervised_items(items(0, 0), "concat")


def test_masks_of_unknown_origin_and_unknown_modes_are_refused():
    with pytest.raises(InputError, match="a.png: masks without mask_origin"):
        supervised_items([{"image": "a.png", "mask": {"a": None}}])
    with pytest.raises(InputError, match="'weighted'.*sample, concat, expert, pseudo"):
        supervised_items(items(), "weighted")
