from __future__ import annotations

import hashlib
import json
import zipfile

import pytest

from tests.golden import REPOSITORY
from tools.pack.__main__ import main

PYLON = REPOSITORY / "bundles" / "cxr_pylon_localization"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    assert main([str(PYLON), "--output", str(folder), "--source", "https://host.example/b/"]) == 0
    return folder


def test_the_zip_its_hashes_and_its_entry(packed, tmp_path):
    (path,) = packed.glob("*.zip")
    version = json.loads((PYLON / "configs" / "metadata.json").read_text(encoding="utf-8"))["version"]
    assert path.name == f"cxr_pylon_localization_v{version}.zip"
    content = path.read_bytes()
    assert (packed / "SHA256SUMS").read_text() == f"{hashlib.sha256(content).hexdigest()}  {path.name}\n"
    assert json.loads((packed / "model_info.json").read_text()) == {
        path.stem: {
            "checksum": hashlib.sha1(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "source": f"https://host.example/b/{path.name}",
        }
    }
    assert main([str(PYLON), "--output", str(tmp_path)]) == 0
    assert (tmp_path / path.name).read_bytes() == content


def test_what_is_in_it(packed):
    (path,) = packed.glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        names = {name.removeprefix("cxr_pylon_localization/") for name in archive.namelist()}
        texts = {
            n: archive.read(n).decode() for n in archive.namelist() if n.endswith((".py", ".yaml", ".json", ".conf"))
        }
    tops = {name.partition("/")[0] for name in names}
    code = "cxr_pylon_localization_v" + path.stem.partition("_v")[2].replace(".", "_")
    assert tops == {
        "LICENSE",
        "NOTICE",
        "requirements.txt",
        "requirements-train.txt",
        "configs",
        "docs",
        "models",
        code,
    }
    assert {"models/model.pt", "models/thresholds.json", "docs/sbom.cdx.json", "docs/data_license.txt"} <= names
    for name, text in texts.items():
        assert name.endswith("metadata.json") or "cxr_common" not in text, name
        assert "make bundles" not in text, name


def test_a_folder_that_is_no_bundle_is_refused(tmp_path, capsys):
    assert main([str(tmp_path), "--output", str(tmp_path / "dist")]) == 1
    assert "metadata.json" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()
