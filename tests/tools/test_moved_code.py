from __future__ import annotations

import pytest

from tools.moved_code import without_modules


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"_target_": "cxr_common.a.Pylon", "n": 8}, {"_target_": "Pylon", "n": 8}),
        (["$cxr_common.a.positive_weights(@train#dataset#data)"], ["$positive_weights(@train#dataset#data)"]),
        ("$@a + cxr_common.b.c.d(cxr_common.e.F)", "$@a + d(F)"),
        ("torch.optim.Adam", "torch.optim.Adam"),
        (None, None),
    ],
)
def test_names_lose_their_modules(value, expected):
    assert without_modules(value) == expected


def test_other_changes_stay_visible():
    old = {"_target_": "cxr_common.a.Pylon", "width": 1}
    assert without_modules(old) != without_modules({**old, "width": 2})
    assert without_modules(old) != without_modules({**old, "_target_": "cxr_common.a.CamClassifier"})
