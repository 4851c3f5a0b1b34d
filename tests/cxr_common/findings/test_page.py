"""The page of a run: names from outside can neither write on it nor hide on it, and it does not say what is doubted."""

import json

from cxr_common.data.picture_test import DOUBT
from cxr_common.findings.page import write_report
from tests.cxr_common.findings.test_findings_writer import localized, make_writer, save_image


def test_hostile_names_are_shown_and_do_nothing(tmp_path):
    name = "<script>alert(1)<\u2044script>\x1b[2J\u202egnp.png"
    make = make_writer(tmp_path)
    make.write_item(localized(save_image(tmp_path / "in" / name)))
    make.write_item({"findings": {"failure": {"path": "b\n<b>.png", "reason": "odd\x07", "action": None}}})
    make.write_record()
    write_report(tmp_path / "out", tmp_path / "page.html", "Title")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert not set(page) & set("\x1b\x07\u202e")
    assert "&lt;script&gt;alert(1)&lt;\u2044script&gt;\\x1b[2J\\u202egnp.png" in page
    assert "b\\n&lt;b&gt;.png" in page
    assert "odd\\x07" in page


def test_sides_of_a_doubted_picture_are_not_named(tmp_path):
    make = make_writer(tmp_path)
    for name in ("a.png", "b.png"):
        make.write_item(localized(save_image(tmp_path / "in" / name)))
    make.write_record()
    record = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))
    record["images"][0]["warnings"] = [f"{DOUBT}it looks upside down"]
    (tmp_path / "out" / "findings.json").write_text(json.dumps(record), encoding="utf-8")
    write_report(tmp_path / "out", tmp_path / "page.html", "Title")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    first, second = page.split("<article ")[1:]
    assert first.startswith('class="card doubted"')
    assert second.startswith('class="card"')
    assert ".doubted .frame::before" in page
