"""What a bundle's inference does with pictures that are no upright frontal chest radiographs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from monai.bundle import ConfigParser
from PIL import Image

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.errors import InputError
from cxr_common.findings.page import write_report
from tests.bundles.conftest import BUNDLES
from tests.bundles.test_inference import infer
from tests.golden import REPOSITORY


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A good phantom, the same on its side, and a white picture."""
    folder = tmp_path_factory.mktemp("images")
    good = (255 * make_phantom(9, 4, PhantomConfig(size=160)).image).astype(np.uint8)
    for name, picture in {"good": good, "side": np.rot90(good), "white": np.full_like(good, 255)}.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    return folder


def loader(bundle: str, **options: object):
    """The transform of a bundle's inference that reads radiographs."""
    parser = ConfigParser()
    parser.read_config(REPOSITORY / "bundles" / bundle / "configs" / "inference.json")
    parser.update(options)
    steps = parser["preprocessing"]["transforms"]
    index = next(i for i, step in enumerate(steps) if step["_target_"].endswith("LoadRadiographd"))
    return parser.get_parsed_content(f"preprocessing#transforms#{index}")


@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.filterwarnings("ignore::cxr_common.data.RadiographWarning")
@pytest.mark.one_localizer
def test_every_bundle_warns_and_refuses_only_when_told_to(bundle, images):
    warned = {p.stem: loader(bundle)({"image": str(p)})["image"].meta["warnings"] for p in sorted(images.iterdir())}
    assert "this may be" not in warned["good"]
    assert "head to the left" in warned["side"] and "nearly uniform" in warned["white"]
    strict = loader(bundle, refuse_unlikely=True)
    assert strict({"image": str(images / "good.png")})["image"].shape == (1, 160, 160)
    for name in ("side", "white"):
        with pytest.raises((InputError, RuntimeError), match="not be an upright frontal chest radiograph"):
            strict({"image": str(images / f"{name}.png")})
    silent = loader(bundle, refuse_unlikely=None)({"image": str(images / "side.png")})
    assert "this may be" not in silent["image"].meta["warnings"]


def findings(images: Path, folder: Path, *options: str) -> tuple[int, dict]:
    done = infer(REPOSITORY / "bundles" / BUNDLES[0], images, folder / "out", folder, *options)
    return done.returncode, json.loads((folder / "out" / "findings.json").read_text())


def test_the_warning_reaches_the_record_and_the_page(images, tmp_path):
    status, record = findings(images, tmp_path)
    assert status == 0 and len(record["images"]) == 3
    warnings = {image["path"]: " ".join(image["warnings"]) for image in record["images"]}
    assert "head to the left" in warnings["side.png"] and "this may be" not in warnings["good.png"]
    write_report(tmp_path / "out", tmp_path / "page.html", "Title")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count('role="alert"') == 2
    assert "This may not be an upright frontal chest radiograph: it is nearly uniform." in page


def test_refused_pictures_are_listed_and_the_others_done(images, tmp_path):
    status, record = findings(images, tmp_path, "--refuse_unlikely", "True")
    assert status == 1 and [image["path"] for image in record["images"]] == ["good.png"]
    assert ["nearly uniform" in f["reason"] or "head to the left" in f["reason"] for f in record["failures"]] == [
        True
    ] * 2
