import itertools
from pathlib import Path

import pytest

from cxr_common.errors import InputError
from cxr_common.labels import LABELS, NIH_DIRECT, NIH_OPACITY, from_nih
from cxr_tools.prepare.labels import label_value
from cxr_tools.prepare.mapping import parse_mapping, read_mapping
from cxr_tools.prepare.tables import Row

VALUES = {1: 1, 0: 0, None: -1}


def row(**cells):
    return Row(Path("t.csv"), 2, {name: str(value) for name, value in cells.items()})


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, "", 1),
        (1, -1, 1),
        (0, 0, 0),
        (0, "", None),
        (0, -1, -1),
        ("", -1, -1),
        ("", "", None),
    ],
)
def test_any_of(a, b, expected):
    assert label_value(row(a=a, b=b), {"any": ["a", "b"]}, {}) == expected


@pytest.mark.parametrize(("none", "a", "expected"), [(1, 0, 0), (1, 1, 1), (0, 0, None), ("", 0, None), (0, -1, -1)])
def test_any_of_with_a_column_that_rules_it_out(none, a, expected):
    assert label_value(row(a=a, none=none), {"any": ["a"], "none": "none"}, {}) == expected


def test_shipped_nih_mapping_equals_the_packages_rule():
    mapping = parse_mapping(read_mapping("shared_cxr_nih"))
    assert tuple(mapping.labels) == LABELS
    rest = {f"nih_{name}": 0 for name in NIH_DIRECT}
    for parts in itertools.product((1, 0, None), repeat=len(NIH_OPACITY)):
        for no_finding in (0, 1):
            findings = dict(zip(NIH_OPACITY, parts, strict=True))
            cells = rest | {f"nih_{name}": VALUES[value] for name, value in findings.items()}
            table_row = row(no_finding=no_finding, **cells)
            found = [label_value(table_row, rule, mapping.values) for rule in mapping.labels.values()]
            assert found == from_nih(dict.fromkeys(NIH_DIRECT, 0) | findings, bool(no_finding))


def test_a_cell_that_is_no_value_is_told_how_to_become_one():
    with pytest.raises(
        InputError, match="'sí' is not a label value; .* --set \"values={'sí': VALUE}\", VALUE: 1 present, 0"
    ):
        label_value(row(a="sí"), "a", {})
    assert label_value(row(a="Yes"), "a", {True: 1}) == 1  # as YAML reads values={yes: 1}
    assert label_value(row(a="no"), "a", {True: 1, False: 0}) == 0
