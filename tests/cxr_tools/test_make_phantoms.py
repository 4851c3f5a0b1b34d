"""The tool that writes a data set of phantoms: whole or not at all, the same again, and a datalist that is sound."""

import json

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from cxr_common.transforms import LoadRadiographd
from cxr_tools import make_phantoms
from cxr_tools.prepare.__main__ import main as prepare

COUNTS = {"training": 3, "validation": 1, "testing": 2}


def run(output, *arguments, size="64"):
    return make_phantoms.main(["--output", str(output), "--workers", "1", "--size", size, *map(str, arguments)])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    output = tmp_path_factory.mktemp("phantoms") / "set"
    counts = [part for section, count in COUNTS.items() for part in (f"--{section}", count)]
    assert run(output, *counts, "--seed", 3) == 0
    return output


def test_datalist_passes_the_check_and_holds_the_phantoms(made, capsys):
    assert prepare(["check", str(made / "datalist.json")]) == 0
    data = json.loads((made / "datalist.json").read_text())
    assert data["labels"] == list(LABELS)
    assert {section: len(data[section]) for section in COUNTS} == COUNTS
    for section in COUNTS:
        for item in data[section]:
            phantom = make_phantom(3, item["phantom"]["index"], PhantomConfig(size=64))
            pixels = np.asarray(Image.open(made / item["image"]))
            np.testing.assert_array_equal(pixels, np.rint(phantom.image * 255))
            assert item["label"] == phantom.label
            names = [LABELS[number] for number in item["box_labels"]]
            assert list(zip(names, map(tuple, item["boxes"]), strict=True)) == [(b[0], b[1:]) for b in phantom.boxes]
            assert {name for name, path in item["mask"].items() if path} == set(phantom.masks)
            for name, mask in phantom.masks.items():
                np.testing.assert_array_equal(np.asarray(Image.open(made / item["mask"][name])), mask)


def test_sections_share_no_phantom_and_more_of_one_changes_no_other(made, tmp_path):
    data = json.loads((made / "datalist.json").read_text())
    indices = [item["phantom"]["index"] for section in COUNTS for item in data[section]]
    patients = [item["patient"] for section in COUNTS for item in data[section]]
    assert len(set(indices)) == len(set(patients)) == sum(COUNTS.values())
    assert run(tmp_path / "set", "--training", 1, "--validation", 1, "--testing", 2, "--seed", 3) == 0
    first, second = (json.loads((p / "phantoms.json").read_text()) for p in (made, tmp_path / "set"))
    assert first["pixels_sha256"]["testing"] == second["pixels_sha256"]["testing"]
    assert first["pixels_sha256"]["training"] != second["pixels_sha256"]["training"]


def test_dicom_files_hold_the_same_phantoms_in_both_photometrics(made, tmp_path):
    import pydicom

    assert run(tmp_path / "set", "--testing", 2, "--seed", 3, "--format", "dicom", "--no-masks") == 0
    assert prepare(["check", str(tmp_path / "set/datalist.json")]) == 0
    items = json.loads((tmp_path / "set/datalist.json").read_text())["testing"]
    originals = json.loads((made / "datalist.json").read_text())["testing"]
    found = set()
    for item, original in zip(items, originals, strict=True):
        path = tmp_path / "set" / item["image"]
        found.add(pydicom.dcmread(path).PhotometricInterpretation)
        image, png = (LoadRadiographd("image")({"image": p})["image"] for p in (path, made / original["image"]))
        np.testing.assert_allclose(np.asarray(image), np.asarray(png), atol=0.51 / 255 + 0.51 / 4095)
        assert "mask" not in item
    assert found == {"MONOCHROME1", "MONOCHROME2"}
    first, second = (json.loads((p / "phantoms.json").read_text()) for p in (made, tmp_path / "set"))
    assert first["pixels_sha256"]["testing"] == second["pixels_sha256"]["testing"]


def test_refuses_a_folder_that_holds_something(made, tmp_path, capsys):
    before = (made / "datalist.json").read_bytes()
    assert run(made, "--count", 1) == 1
    assert "exists and is not an empty folder" in capsys.readouterr().err
    assert (made / "datalist.json").read_bytes() == before
    (tmp_path / "file").touch()
    assert run(tmp_path / "file", "--count", 1) == 1


@pytest.mark.parametrize("error", [RuntimeError("full"), KeyboardInterrupt()])
def test_a_run_that_fails_leaves_nothing(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(make_phantoms, "write_datalist", fail)
    with pytest.raises(type(error)):
        make_phantoms.make_data_set(tmp_path / "set", {"testing": 1}, 0, PhantomConfig(size=64), workers=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no phantom asked for"),
        (["--training", "-1", "--count", "2"], "training"),
        (["--training", "1000001"], "training"),
        (["--count", "1", "--seed", "-1"], "--seed"),
        (["--count", "1", "--workers", "0"], "--workers"),
        (["--count", "1", "--size", "10"], "size"),
    ],
)
def test_refuses_bad_numbers(tmp_path, capsys, arguments, message):
    assert run(tmp_path / "set", *arguments) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[1]", "holds a list"), ('{"size": "big"}', "size"), ('{"sice": 64}', "sice")],
)
def test_refuses_bad_settings(tmp_path, capsys, text, message):
    (tmp_path / "config.json").write_text(text)
    arguments = ["--output", str(tmp_path / "set"), "--count", "1", "--config", str(tmp_path / "config.json")]
    assert make_phantoms.main(arguments) == 1
    assert message in capsys.readouterr().err


def test_settings_come_from_the_file_and_are_recorded(tmp_path):
    (tmp_path / "config.json").write_text('{"no_finding": 1.0, "size": 80}')
    assert run(tmp_path / "set", "--count", 1, "--config", tmp_path / "config.json", size="72") == 0
    about = json.loads((tmp_path / "set/phantoms.json").read_text())
    config = PhantomConfig(size=72, no_finding=1.0)
    assert about["config"] == config.to_dict()
    assert about["config_sha256"] == config.sha256()
    item = json.loads((tmp_path / "set/datalist.json").read_text())["testing"][0]
    assert item["label"] == [0] * len(LABELS) and item["boxes"] == []


def test_make_data_set_refuses_before_it_writes(tmp_path):
    with pytest.raises(InputError, match="no phantom"):
        make_phantoms.make_data_set(tmp_path / "set", {"testing": 0}, 0, PhantomConfig(size=64))
    assert not list(tmp_path.iterdir())


def test_lungs_and_hearts_in_place_of_findings(made, tmp_path, capsys):
    assert run(tmp_path / "set", "--testing", 2, "--seed", 3, "--anatomy") == 0
    assert prepare(["check", str(tmp_path / "set/datalist.json")]) == 0
    data = json.loads((tmp_path / "set/datalist.json").read_text())
    assert data["labels"] == ["Lungs", "Heart"]
    for item, original in zip(
        data["testing"], json.loads((made / "datalist.json").read_text())["testing"], strict=False
    ):
        assert (tmp_path / "set" / item["image"]).read_bytes() == (made / original["image"]).read_bytes()
        phantom = make_phantom(3, item["phantom"]["index"], PhantomConfig(size=64))
        lungs, heart = (np.asarray(Image.open(tmp_path / "set" / item["mask"][name])) for name in data["labels"])
        np.testing.assert_array_equal(lungs, phantom.anatomy["left lung"] | phantom.anatomy["right lung"])
        np.testing.assert_array_equal(heart, phantom.anatomy["heart"])
        assert item["label"] == [1, 1] and "boxes" not in item
    capsys.readouterr()
    assert run(tmp_path / "other", "--testing", 1, "--anatomy", "--no-masks") == 1
    assert "leave out one of the two" in capsys.readouterr().err
