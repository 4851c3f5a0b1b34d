import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_common.errors import InputError
from cxr_tools.prepare.splits import draw_sections


@given(st.lists(st.integers(0, 30).map(str), min_size=5, max_size=80), st.integers(0, 5), st.randoms())
def test_groups_stay_together_in_any_order(groups, seed, random):
    sections = draw_sections(groups, (0.2, 0.2), seed)
    section = dict(zip(groups, sections, strict=True))
    assert sections == [section[group] for group in groups]
    shuffled = random.sample(groups, len(groups))
    assert draw_sections(shuffled, (0.2, 0.2), seed) == [section[group] for group in shuffled]
    expected = round(0.2 * len(section))
    assert [list(section.values()).count(s) for s in ("validation", "testing")] == [expected, expected]


def test_the_seed_matters():
    groups = [str(i) for i in range(40)]
    assert draw_sections(groups, (0.3, 0.2), 0) != draw_sections(groups, (0.3, 0.2), 1)


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (-0.1, 0.2)])
def test_no_training_is_refused(fractions):
    with pytest.raises(InputError, match="leave none for training"):
        draw_sections(["a", "b"], fractions, 0)
