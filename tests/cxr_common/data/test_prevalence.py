from __future__ import annotations

from cxr_common.data.prevalence import match_prevalence


def prevalence(items, source, c):
    values = [i["label"][c] for i in items if i["source"] == source and i["label"][c] is not None]
    return sum(values) / len(values) if values else None


def make_items():
    a = [{"source": "a", "image": f"a{i}", "label": [int(i % 2 == 0), int(i % 10 == 0)]} for i in range(100)]
    b = [{"source": "b", "image": f"b{i}", "label": [int(i % 4 == 0), 0]} for i in range(200)]
    c = [{"source": "c", "image": f"c{i}", "label": [None, None]} for i in range(5)]
    return a + b + c


def test_prevalences_become_equal_and_no_present_label_is_lost():
    items = make_items()
    matched = match_prevalence(items, 2)
    assert prevalence(matched, "a", 0) == prevalence(matched, "b", 0) == 0.5
    assert prevalence(matched, "a", 1) == 0.1
    # b has no image with the second finding: its zeros would say "b" rather than "absent".
    assert prevalence(matched, "b", 1) is None
    for before, after in zip(items, matched):
        assert before["image"] == after["image"]
        for x, y in zip(before["label"], after["label"]):
            assert y == x or (x == 0 and y is None)


def test_input_is_untouched_and_the_draw_is_repeatable():
    items = make_items()
    first, second = match_prevalence(items, 2, seed=3), match_prevalence(items, 2, seed=3)
    assert first == second
    assert first != match_prevalence(items, 2, seed=4)
    assert items == make_items()


def test_one_source_stays_as_it_is():
    items = [i for i in make_items() if i["source"] == "a"]
    assert match_prevalence(items, 2) == items
