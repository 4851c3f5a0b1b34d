"""A MONAI Label server on loopback with all packed bundles, and files to ask it about; `make test-label` runs this."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.phantom import PhantomConfig
from cxr_tools.make_phantoms import make_data_set
from tests.bundles.conftest import BUNDLES
from tests.golden import REPOSITORY
from tests.label.server import Server
from tools.pack.__main__ import main

#: Of an environment with MONAI Label, which common/cxr_tools/monai_label/make_environment.sh makes.
PYTHON = os.environ.get("LABEL_PYTHON", "")


def pytest_collection_modifyitems(items):
    if not PYTHON:
        for item in items:
            if "tests/label" in str(item.path):
                item.add_marker(pytest.mark.skip(reason="needs MONAI Label: make test-label"))


@pytest.fixture(scope="session")
def zips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zips")
    assert main(["--output", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def app(zips, tmp_path_factory):
    """The app with every bundle."""
    folder = tmp_path_factory.mktemp("label") / "app"
    shutil.copytree(REPOSITORY / "common" / "cxr_tools" / "monai_label" / "app", folder)
    for path in zips.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder / "model")
    return folder


@pytest.fixture(scope="session")
def studies(tmp_path_factory):
    """DICOM files with spacing, PNG files of odd sizes, equal colours, one that is not a picture, one to label."""
    folder = tmp_path_factory.mktemp("studies")
    made = tmp_path_factory.mktemp("phantoms")
    config = PhantomConfig(size=160)
    make_data_set(made / "dicom", {"testing": 3}, 7, config, format="dicom", workers=1)
    make_data_set(made / "png", {"testing": 14}, 8, config, workers=1)
    for number, path in enumerate(sorted((made / "dicom" / "images").iterdir())):
        shutil.copy(path, folder / f"dicom{number}.dcm")
    for number, path in enumerate(sorted((made / "png" / "images").iterdir())):
        shutil.copy(path, folder / f"png{number:02}.png")
    with Image.open(folder / "png00.png") as image:
        pixels = np.asarray(image)
    Image.fromarray(pixels[:101]).save(folder / "odd.png")
    Image.fromarray(
        np.repeat((pixels >> 8 if pixels.dtype != np.uint8 else pixels)[..., None], 3, 2).astype(np.uint8)
    ).save(folder / "colour.png")
    (folder / "broken.png").write_bytes(b"this is not a picture")
    return folder


GOOD = ["dicom0.dcm", "dicom1.dcm", "png01.png", "odd.png", "colour.png"]


@pytest.fixture(scope="session")
def expected(app, studies, tmp_path_factory):
    """Bundle -> file -> what the bundle's own run says of it."""
    out = tmp_path_factory.mktemp("expected")
    found = {}
    for name in BUNDLES:
        root = app / "model" / name
        words = ["--config_file", root / "configs" / "inference.json", "--bundle_root", root]
        words += ["--dataset_dir", studies, "--output_dir", out / name]
        subprocess.run([PYTHON, "-m", "monai.bundle", "run", *map(str, words)], cwd=out, capture_output=True, text=True)
        record = json.loads((out / name / "findings.json").read_text(encoding="utf-8"))
        found[name] = {Path(image["path"]).name: {**image, "folder": out / name} for image in record["images"]}
        assert set(GOOD) <= set(found[name])
    return found


@pytest.fixture(scope="session")
def server(app, studies, tmp_path_factory):
    settings = {"uncertainty": "cxr_pylon_localization"}
    with Server(PYTHON, app, studies, tmp_path_factory.mktemp("server"), **settings) as running:
        yield running
