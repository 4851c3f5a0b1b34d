from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cxr_verify.__main__ import main
from tests.cxr_verify import shapes


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return shapes.endoscopic(tmp_path_factory.mktemp("main"))


def test_files_are_written_beside_the_table(bundle, tmp_path, capsys):
    status = main([str(bundle), "--static", "--json", str(tmp_path / "v.json"), "--junit", str(tmp_path / "v.xml")])
    assert status == 0
    assert f"{bundle.name}: " in capsys.readouterr().out
    (content,) = json.loads((tmp_path / "v.json").read_text("utf-8"))
    assert content["bundle"] == bundle.name
    suite = ET.parse(tmp_path / "v.xml").getroot()[0]
    assert int(suite.get("tests")) == len(content["checks"]) > 20
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]


@pytest.mark.parametrize("option", ["--json", "--junit", "--record"])
def test_a_file_that_cannot_be_written_is_one_line(bundle, tmp_path, option, capsys):
    path = tmp_path / "nothing" / "file"
    assert main([str(bundle), "--only", "files", option, str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {path} cannot be written (No such file or directory): ")


def test_a_record_that_is_no_list_of_versions_stays_as_it_is(bundle, tmp_path, capsys):
    for content in (b"\xff", b"{", b"[]", b'{"a_v1": 1}'):
        path = tmp_path / "record.json"
        path.write_bytes(content)
        assert main([str(bundle), "--only", "files", "--record", str(path)]) == 2
        assert capsys.readouterr().err.startswith(f"error: {path} ")
        assert path.read_bytes() == content


def test_json_alone_on_the_screen(bundle, capsys):
    assert main([str(bundle), "--static", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["exit_status"] == 0


def test_a_failed_check_and_no_bundle_at_all(bundle, tmp_path, capsys):
    broken = Path(shutil.copytree(bundle, tmp_path / bundle.name))
    (broken / "LICENSE").unlink()
    assert main([str(broken), "--static"]) == 1
    assert main([str(tmp_path / "nothing.zip")]) == 2
    assert "error: " in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([])


def test_a_list_of_all_checks(capsys):
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert "label.boxes" in listed
    assert "files.licence              zoo" in listed
