"""cxr pack: a folder of a user's, without the pages and pins of a checkout."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile

import pytest

from cxr_common.loading import find_bundle
from cxr_tools.pack.code import code_name
from cxr_tools.program import main
from tests.golden import REPOSITORY

PYLON = REPOSITORY / "bundles" / "cxr_pylon_localization"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A bundle with a name of its own, as of somebody who changed the shipped one; no link of its card is alive."""
    folder = tmp_path_factory.mktemp("own") / "my_localization"
    shutil.copytree(PYLON, folder, ignore=shutil.ignore_patterns("bundle.yaml"))
    (folder / "eval").mkdir()
    (folder / "eval" / "findings.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def packed(own):
    assert main(["pack", str(own), "-o", str(own.parent / "dist")]) == 0
    return next((own.parent / "dist").glob("my_localization_v*.zip"))


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def test_it_has_its_code_and_no_dead_links(packed):
    files = contents(packed)
    code = code_name("my_localization", packed.stem.partition("_v")[2])
    assert f"{code}/localization/pylon.py" in files
    assert code in files["configs/inference.json"].decode()
    assert "](../" not in files["docs/README.md"].decode()
    assert not [name for name in files if name.startswith("eval")]
    parts = {part["name"]: part.get("version") for part in json.loads(files["docs/sbom.cdx.json"])["components"]}
    assert parts["sympy"]  # not pinned by the bundle: the installed one


def test_what_came_out_of_a_zip_is_packed_again_with_other_weights_and_version(packed, tmp_path):
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "my_localization"
    metadata = json.loads((folder / "configs" / "metadata.json").read_text(encoding="utf-8"))
    metadata["version"] = "9.0.0"
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata), "utf-8")
    (folder / "models" / "model.pt").write_bytes(b"other")
    (folder / "run").mkdir()
    (folder / "run" / "log.txt").write_text("mine")
    assert main(["pack", str(folder), "-o", str(tmp_path / "dist")]) == 0
    before, after = contents(packed), contents(tmp_path / "dist" / "my_localization_v9.0.0.zip")
    old, new = (code_name("my_localization", version) for version in (packed.stem.partition("_v")[2], "9.0.0"))
    assert {name.replace(old, new) for name in before} == set(after)
    assert after["models/model.pt"] == b"other"
    assert before["docs/sbom.cdx.json"] != after["docs/sbom.cdx.json"]
    assert not [name for name, content in after.items() if old.encode() in content and name.endswith((".py", ".json"))]


def test_cxr_get_takes_it_by_its_name(packed, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["get", "my_localization", "--index", str(packed.parent / "model_info.json")]) == 0
    assert find_bundle("my_localization").is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "models" / "model.pt").unlink(), "model.pt: is not there"),
        (lambda folder: (folder / "LICENSE").unlink(), "LICENSE: is not there"),
        (lambda folder: shutil.rmtree(folder / "configs"), "metadata.json"),
    ],
)
def test_what_is_missing_is_one_line_and_leaves_nothing(own, tmp_path, change, said, capsys):
    folder = tmp_path / own.name
    shutil.copytree(own, folder)
    change(folder)
    assert main(["pack", str(folder), "-o", str(tmp_path / "dist")]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and said in printed
    assert not (tmp_path / "dist").exists()


def test_a_bundle_that_needs_nothing_of_ours_is_not_ours_to_pack(own, tmp_path, capsys):
    folder = tmp_path / own.name
    shutil.copytree(own, folder)
    for path in (folder / "configs").iterdir():
        path.write_text(path.read_text("utf-8").replace("cxr_common", "monai"), "utf-8")
    assert main(["pack", str(folder), "-o", str(tmp_path / "dist")]) == 1
    assert "names nothing of cxr_common" in capsys.readouterr().err


def test_a_second_zip_in_the_same_folder_stands_beside_the_first(packed, tmp_path):
    dist, other = tmp_path / "dist", tmp_path / "other_localization"
    dist.mkdir()
    for path in packed.parent.iterdir():
        shutil.copy(path, dist)
    shutil.copytree(PYLON, other, ignore=shutil.ignore_patterns("bundle.yaml"))
    assert main(["pack", str(other), "-o", str(dist), "--source", "https://my.host"]) == 0
    zips = sorted(dist.glob("*.zip"))
    lines = (dist / "SHA256SUMS").read_text().splitlines()
    assert lines == [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in zips]
    index = json.loads((dist / "model_info.json").read_text())
    assert list(index) == [path.stem for path in zips]
    assert [entry["source"] for entry in index.values()] == [packed.name, f"https://my.host/{zips[1].name}"]

    packed_again = dist / packed.name
    packed_again.write_bytes(b"changed")
    assert main(["pack", str(other), "-o", str(dist)]) == 0
    assert list(json.loads((dist / "model_info.json").read_text())) == [zips[1].stem]
    assert packed_again.read_bytes() == b"changed"


def test_an_index_of_something_else_is_not_overwritten(own, tmp_path, capsys):
    (tmp_path / "model_info.json").write_text('{"mine": 1}')
    assert main(["pack", str(own), "-o", str(tmp_path)]) == 1
    assert "model_info.json" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["model_info.json"]
