from __future__ import annotations

import json

from tools.faults.__main__ import main
from tools.faults.rules import run_rules
from tools.faults.text import inputs_table, kills_table, rules_table

MARKED = """
import pytest

@pytest.mark.fault("a disk fails", "nothing is lost")
@pytest.mark.parametrize("n", [1, 2])
def test_one(n):
    assert n == 1

@pytest.mark.fault("a disk fails", "nothing is lost")
@pytest.mark.slow
def test_two():
    pytest.skip("no disk")

@pytest.fixture
def broken():
    raise RuntimeError

@pytest.mark.fault("a machine fails", "nothing is lost")
def test_three(broken):
    pass

def test_not_marked():
    raise AssertionError
"""


def test_marked_tests_are_counted_by_what_happens(tmp_path):
    (tmp_path / "test_marked.py").write_text(MARKED, encoding="utf-8")
    disk, machine = run_rules((tmp_path,))
    assert disk == {"what": "a disk fails", "holds": "nothing is lost", "passed": 1, "failed": 1, "skipped": 1}
    assert machine == {"what": "a machine fails", "holds": "nothing is lost", "passed": 0, "failed": 1, "skipped": 0}
    text = rules_table({"rules": [disk, machine], "date": "2026-01-01"})
    assert "| a disk fails | nothing is lost | 1 passed, **1 failed**, 1 skipped |" in text


def test_tables_show_what_did_not_hold():
    about = {"date": "2026-01-01", "seed": 0, "versions": {"torch": "2"}}
    case = {
        "kind": "PNG",
        "files": 5,
        "read": 1,
        "refused": 2,
        "crashed": 2,
        "hung": 0,
        "slowest_s": 0.5,
        "grown_bytes": 0,
    }
    assert "| PNG | 5 | 1 | 2 | **2** | 0 | 0.5 s | 0 MB |" in inputs_table({"inputs": [case], **about})
    run = {"bundle": "cxr_x", "kills": 5, "compared": 2, "different": 1}
    assert "| cxr_x | 5 | 2 | **1** |" in kills_table({"trainings": [run], **about})


def test_the_command_writes_a_record_and_fails_where_something_did_not_hold(tmp_path, monkeypatch, capsys):
    from tools.faults import __main__ as command

    rows = [{"what": "a", "holds": "b", "passed": 1, "failed": 0, "skipped": 0}]
    monkeypatch.setattr(command, "run_rules", lambda: rows)
    assert main(["--only", "rules", "--output", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "faults_rules.json").read_text())["rules"] == rows
    rows[0]["failed"] = 1
    assert main(["--only", "rules", "--output", str(tmp_path)]) == 1
    assert "1 failed" in capsys.readouterr().out
