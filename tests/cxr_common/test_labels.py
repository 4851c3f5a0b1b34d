from __future__ import annotations

import pytest

from cxr_common.labels import LABELS, from_nih


def values(findings, no_finding=False):
    return dict(zip(LABELS, from_nih(findings, no_finding)))


def test_no_finding_is_absent_everywhere():
    assert set(values(dict.fromkeys(("Atelectasis", "Mass", "Pneumonia", *LABELS), 0), True).values()) == {0}


@pytest.mark.parametrize("name", ["Consolidation", "Infiltration", "Pneumonia", "Edema"])
def test_opacity_gathers_its_parts(name):
    assert values({name: 1})["Opacity"] == 1


def test_another_finding_does_not_rule_an_opacity_out():
    known = values({"Effusion": 1, "Atelectasis": 0})
    assert (known["Effusion"], known["Atelectasis"], known["Opacity"], known["Mass"]) == (1, 0, None, None)
