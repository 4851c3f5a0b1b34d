from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from cxr_verify.outcome import Problem, Result, Status, warning
from cxr_verify.report import exit_status, lines, summary, to_json, to_junit

PASSED = Result("files.licence", "LICENSE is there", Status.PASS, "", ())
NOTED = Result("network.random", "it runs", Status.PASS, "[1, 1] -> [1, 8]", ())
SKIPPED = Result("weights.strict", "they fit", Status.SKIPPED, "no weights", ())
FAILED = Result("files.layout", "files are there", Status.FAIL, "", (Problem("no config", "add it"),))
WARNED = Result("files.size", "small files", Status.WARNING, "", (warning("30 MB", "host it"),))
BROKEN = Result("label.runs", "it runs", Status.ERROR, "", (Problem("the check broke", "tell us"),))


@pytest.mark.parametrize(
    ("results", "status"),
    [([], 0), ([PASSED, SKIPPED, WARNED], 0), ([PASSED, FAILED], 1), ([FAILED, BROKEN], 2), ([BROKEN], 2)],
)
def test_exit_status(results, status):
    assert exit_status(results) == status


def test_a_row_names_check_and_remedy(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert lines(PASSED) == ["pass     files.licence              LICENSE is there"]
    assert lines(FAILED)[1:] == ["         - fail: no config", "         > add it"]
    assert "(no weights)" in lines(SKIPPED)[0]


def test_a_stranger_s_text_cannot_steer_the_terminal():
    evil = Result("files.layout", "files", Status.FAIL, "", (Problem("\x1b[31mred\x07", "mend"),))
    assert "\x1b" not in "".join(lines(evil))
    assert "\x07" not in "".join(lines(evil))


def test_long_lines_are_broken(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    long = Result("files.layout", "files", Status.FAIL, "", (Problem("word " * 60, "mend " * 60),))
    assert max(map(len, lines(long))) <= 80


def test_summary():
    assert summary([PASSED, NOTED, FAILED]) == "2 pass, 1 fail"


def test_json_has_it_all_and_can_be_written():
    (first, second) = json.loads(json.dumps(to_json([("a", [PASSED, WARNED]), ("b", [FAILED])])))
    assert first["bundle"] == "a"
    assert (first["exit_status"], second["exit_status"]) == (0, 1)
    assert first["checks"][1] == {
        "id": "files.size",
        "title": "small files",
        "status": "warning",
        "note": "",
        "problems": [{"status": "warning", "why": "30 MB", "mend": "host it"}],
    }


def test_junit_counts_and_tells_each_kind():
    root = ET.fromstring(to_junit([("a", [PASSED, NOTED, SKIPPED, FAILED, WARNED, BROKEN]), ("b", [])]))
    first, second = root.findall("testsuite")
    assert {k: first.get(k) for k in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "a",
        "tests": "6",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    assert second.get("tests") == "0"
    cases = {case.get("name"): case for case in first}
    assert cases["files.layout"].find("failure").get("message") == "fail: no config. add it"
    assert cases["label.runs"].find("error") is not None
    assert cases["weights.strict"].find("skipped").text == "no weights"
    assert cases["files.size"].find("system-out").text == "warning: 30 MB. host it"
    assert cases["files.size"].find("failure") is None
    assert len(cases["files.licence"]) == 0
    assert cases["files.licence"].get("classname") == "a.files"


def test_junit_is_xml_whatever_a_name_holds():
    evil = Result("files.layout", "files", Status.FAIL, "", (Problem("<&\x00\x1b", "mend"),))
    root = ET.fromstring(to_junit([("a<b>&\x01", [evil])]))
    assert root[0].get("name") == "a<b>&?"
