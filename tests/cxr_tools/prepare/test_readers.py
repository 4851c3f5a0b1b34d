from __future__ import annotations

import pytest

from cxr_tools.prepare.readers import RULES


@pytest.mark.parametrize(
    ("values", "majority", "any", "all"),
    [
        ((1, 1, 0), 1, 1, 0),
        ((0, 0, 1), 0, 1, 0),
        ((1, 0), -1, 1, 0),
        ((1, -1, 0), -1, 1, 0),
        ((None, 1, None), 1, 1, 1),
        ((None, None), None, None, None),
        ((-1, 0), -1, -1, 0),
        ((1, 1), 1, 1, 1),
        ((-1, -1, 1), -1, 1, -1),
    ],
)
def test_votes(values, majority, any, all):
    assert [RULES[name](values) for name in ("majority", "any", "all")] == [majority, any, all]
