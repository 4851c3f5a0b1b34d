"""What users have installed can also be run by the names of a checkout's tools."""

from __future__ import annotations

import runpy
import sys

import pytest

from tests.golden import REPOSITORY

NAMES = sorted(p.stem for p in (REPOSITORY / "tools").glob("*.py") if "runpy" in p.read_text(encoding="utf-8"))


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")  # by other tests
@pytest.mark.parametrize("name", NAMES)
def test_help(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module(f"tools.{name}", run_name="__main__", alter_sys=True)
    assert end.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_all_are_tried():
    assert {"prepare", "pacs", "pipeline", "verify"} <= set(NAMES)
