import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from monai.transforms import Compose, Resized
from PIL import Image

from cxr_common.data import find_radiographs, read_picture
from cxr_common.errors import InputError
from cxr_common.findings import FindingsWriter, Thresholds, save_thresholds
from cxr_common.labels import LABELS
from cxr_common.localization import Pylon
from cxr_common.networks import save_weights
from cxr_common.transforms import LoadRadiographd, LocalizeFindingsd
from cxr_tools import demo
from tools.repository import BUNDLES

BUNDLE = BUNDLES / "cxr_pylon_localization"


@pytest.fixture(autouse=True)
def small_phantoms(monkeypatch):
    monkeypatch.setattr(demo, "SIZE", 64)


@pytest.fixture
def inference(monkeypatch):
    """Results without a network: a mass at the top right of every image; a file named bad fails."""

    def run(_bundle, images, results, _log):
        thresholds = Thresholds.default(LABELS)
        load = Compose([LoadRadiographd("image"), Resized("image", (32, 32))])
        failures = []
        loader = SimpleNamespace(failures=failures)
        writer = FindingsWriter(
            results, thresholds, "b", "1", loader=loader, input_dir=images, read_picture=read_picture
        )
        for record in find_radiographs(images):
            if "bad" in record["image"]:
                failures.append(SimpleNamespace(path=record["image"], reason="is <b>damaged</b>", action="restore it"))
                continue
            pred = torch.full((8, 8, 8), -6.0)
            pred[LABELS.index("Mass"), 6:, :2] = 5.0
            writer.write_item(LocalizeFindingsd(thresholds=thresholds)({**load(record), "pred": pred}))
        writer.write_record()
        return int(bool(failures))

    monkeypatch.setattr(demo, "run_inference", run)


def save_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (60, 1))).save(path)


def test_phantoms_page(tmp_path, inference, capsys):
    assert demo.main(["--output", str(tmp_path / "out"), "--count", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "out" / "index.html")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count("<article") == 3
    assert page.count("<img") == 9  # original, truth, found
    assert len(re.findall(r'alt="[^"]+"', page)) == 9
    assert "found: Mass" in page
    assert "missed: Pneumothorax" in page
    assert "false alarm: Mass" in page
    assert "synthetic" in page
    assert "Research use only" in page


def test_page_needs_no_other_file(tmp_path, inference):
    demo.main(["--output", str(tmp_path / "out"), "--count", "1"])
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"]*)"|url\(([^)]*)\)|@import', page)
    assert len(links) == 3
    assert all(src.startswith("data:image/jpeg;base64,") for src, _ in links)
    assert "http" not in re.sub(r"data:image[^\"]*", "", page)


def test_own_images_have_no_truth_and_failures_come_first(tmp_path, inference, capsys):
    save_image(tmp_path / "in" / "a <1>.png")
    (tmp_path / "in" / "bad.png").write_text("no image")
    assert demo.main(["--images", str(tmp_path / "in"), "--output", str(tmp_path / "out")]) == 1
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count("<img") == 2
    assert "Truth" not in page
    assert "a &lt;1&gt;.png" in page
    assert "is &lt;b&gt;damaged" in page  # escaped
    assert page.index("1 image failed") < page.index("<article")
    assert "bad.png" in capsys.readouterr().err


def test_phantoms_alternate_in_polarity_and_are_replaced(tmp_path):
    import pydicom

    demo.make_phantoms(tmp_path, 3)
    truth = demo.make_phantoms(tmp_path, 2)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == sorted(truth)
    assert [pydicom.dcmread(tmp_path / name).PhotometricInterpretation for name in files] == [
        "MONOCHROME2",
        "MONOCHROME1",
    ]
    mask = truth[files[0]].masks["Mass"]
    _, x0, y0, x1, y1 = truth[files[0]].boxes[0]
    assert mask[x0:x1, y0:y1].sum() == mask.sum() > 0


def test_a_second_demo_shows_nothing_of_the_first(tmp_path, inference, monkeypatch):
    output = tmp_path / "out"
    demo.main(["--output", str(output), "--count", "2"])
    monkeypatch.undo()
    monkeypatch.setattr(demo, "SIZE", 64)
    bundle = tmp_path / "bundle"
    (bundle / "configs").mkdir(parents=True)
    (bundle / "configs" / "inference.json").write_text("{}")
    failing = [sys.executable, "-c", "print('x\\nerror: no weights'); raise SystemExit(3)"]
    monkeypatch.setattr(demo, "workflow_command", lambda *given: failing)
    (output / "results" / "mine.txt").write_text("")
    with pytest.raises(InputError, match="no weights; see .*inference.log"):
        demo.demo(output, bundle, None, 1)
    assert not (output / "index.html").exists()
    assert [path.name for path in (output / "results").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("make", "options", "text"),
    [
        (None, ["--images", "in"], "no such file or folder"),
        ("in", ["--images", "in"], "holds no image file"),
        (None, ["--count", "0"], "must be at least 1"),
        (None, ["--count", "1", "--bundle", "nowhere"], "there is no such bundle"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, monkeypatch, capsys, make, options, text):
    monkeypatch.chdir(tmp_path)
    if make:
        Path(make).mkdir()
    assert demo.main(["--output", "out", *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert text in error


def test_output_among_the_images_is_refused(tmp_path):
    save_image(tmp_path / "in" / "a.png")
    with pytest.raises(InputError, match="lies in the folder of images"):
        demo.demo(tmp_path / "in" / "out", BUNDLE, tmp_path / "in", 1)


@pytest.mark.slow
def test_with_the_bundle_itself(tmp_path):
    weights = tmp_path / "models" / "model.pt"
    torch.manual_seed(0)
    save_weights(Pylon(num_classes=8, backbone="resnet18"), weights)
    save_thresholds(Thresholds.default(LABELS), weights.with_name("thresholds.json"))
    (tmp_path / "configs").symlink_to(BUNDLE / "configs")
    assert demo.main(["--output", str(tmp_path / "out"), "--count", "2", "--bundle", str(tmp_path)]) == 0
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count("<article") == 2
    assert "Traceback" not in (tmp_path / "out" / "inference.log").read_text(encoding="utf-8")
