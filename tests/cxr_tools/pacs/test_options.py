"""Options that would find nothing, or everything, are refused before a PACS is asked."""

from __future__ import annotations

import pytest

from cxr_tools.pacs.__main__ import main
from cxr_tools.pacs.lock import locked

URL = "http://127.0.0.1:9/dicom-web"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--date", value) for value in ("20261301", "20260230", "20260201-20260101", "2026-01-01", "today", "-")),
        *(("--date", value) for value in ("01022026", "20260101-20261399")),
        *(("--modality", value) for value in ("", ",", " , ", "C*", "CR;DX")),
        ("--study", "1.2.x"),
        ("--series", "1.2.3"),
        ("--patience", "-1"),
        ("--patience", "nan"),
    ],
)
def test_choice(tmp_path, capsys, option, value):
    assert main(["pull", "--url", URL, "--work", str(tmp_path / "work"), f"{option}={value}"]) == 1
    assert option in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--aet", value) for value in ("", "A" * 17, "   ", "A\\B", "病院")),
        *(("--port", value) for value in ("-1", "65536")),
        ("--associations", "0"),
        ("--megabytes", "0"),
        ("--free-megabytes", "-1"),
        ("--patience", "-1"),
        ("--to", "PACS"),
        ("--bundle", "no_such_bundle"),
    ],
)
def test_listen(tmp_path, capsys, option, value):
    given = {"--to": "PACS@127.0.0.1:9", option: value}
    assert main(["listen", "--work", str(tmp_path / "work"), *(f"{k}={v}" for k, v in given.items())]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and (option in error or value in error)
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("command", ["pull", "push", "run", "listen"])
def test_one_command_at_a_time(tmp_path, capsys, command):
    where = ["--to", URL] if command == "listen" else ["--url", URL, "--patience=0"]
    with locked(tmp_path):
        assert main([command, "--work", str(tmp_path), *where]) == 1
    assert "another cxr pacs command" in capsys.readouterr().err
    with locked(tmp_path):  # it is free again
        pass
