from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from cxr_tools import markdown

INTERVAL = {"value": 0.5, "low": 0.4, "high": 0.6}


def test_numbers_are_written_as_in_the_field():
    interval = {"value": 0.6249, "low": 0.58, "high": 1.0}
    assert markdown.number(interval) == ".62 [.58, 1.00]"
    assert markdown.number(interval, percent=True) == "62% [58%, 100%]"
    assert markdown.number({"value": None, "low": None, "high": None}) == "–"
    assert markdown.signed({"value": -0.01, "low": -0.02, "high": 0.005}) == "-.010 [-.020, +.005]"
    assert markdown.signed(None) == "–"


def test_a_table_has_as_many_columns_as_its_head():
    assert markdown.table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert markdown.head("a", ["b", "c"]).splitlines() == ["| a | b | c |", "|---|---|---|"]
    assert markdown.row("a", ["b", 1], 2.5) == "| a | b | 1 | 2.5 |"


def test_templates_write_a_dash_for_what_a_record_lacks_and_refuse_what_it_never_has(tmp_path):
    (tmp_path / "a.md.j2").write_text("{{ row('x', number(m.a), signed(m.b)) }}{{ 'a\\n b' | line }}", encoding="utf-8")
    template = markdown.environment(tmp_path).get_template("a.md.j2")
    assert template.render(m={"a": INTERVAL}) == "| x | .50 [.40, .60] | – |a b"
    with pytest.raises(UndefinedError):
        template.render()
