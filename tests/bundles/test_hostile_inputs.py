"""One folder of hostile files, odd names and links beside good files: the good ones are done, the others listed."""

from __future__ import annotations

import json
import os
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.bundles.test_inference import infer
from tests.golden import REPOSITORY
from tests.image_files import DEFLATED, marker_picture, write_dicom

BUNDLE = REPOSITORY / "bundles" / "cxr_pylon_localization"
META = "ObjectType = Image\nNDims = {}\nDimSize = 4 4\nElementType = MET_UCHAR\nElementDataFile = {}\n"
NRRD = "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 4\nencoding: raw\n{}\n\n"
HOSTILE = {
    "negative.mha": META.format(-1, "LOCAL").encode() + bytes(16),
    "huge.mha": META.format(99999, "LOCAL").encode() + bytes(16),
    "list.nrrd": NRRD.format("data file: LIST\nnone.raw").encode() + bytes(16),
    "bytes.nrrd": NRRD.format("endian: \x01").encode() + b"\xff" * 16,
    "outside.mha": META.format(2, "../secret.bin").encode(),
    "outside.nrrd": NRRD.format("data file: ../secret.bin").encode(),
    "absolute.mha": META.format(2, "/etc/passwd").encode(),
}


def picture(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        Image.fromarray(marker_picture()).save(file, "PNG")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    source = folder / "2026_0504"  # which the command line makes a number of
    picture(source / "good.png")
    picture(folder / "elsewhere" / "linked.png")
    (folder / "secret.bin").write_bytes(b"NOT A PICTURE...")
    (source / "link").symlink_to(folder / "elsewhere")
    (source / "link.png").symlink_to(folder / "elsewhere" / "linked.png")
    (source / "loop").symlink_to(source)
    picture(source / ("y" * 251 + ".png"))
    picture(source / "Good.png")
    picture(os.fsencode(source) + b"/M\xfcller.png")
    picture(source / "a\nerror: all is well\x1b[2J.png")
    for name, content in HOSTILE.items():
        (source / name).write_bytes(content)
    Image.new("1", (9000, 9000)).save(source / "large.png")
    path = write_dicom(source / "inflates.dcm", np.zeros((8, 8), "uint16"), DEFLATED)
    deflate = zlib.compressobj(9, wbits=-15)
    path.write_bytes(path.read_bytes()[:336] + deflate.compress(bytes(600 << 20)) + deflate.flush())
    runs = [infer(BUNDLE, source.name, f"{source.name}/20260504", folder) for _ in range(2)]
    return folder, runs, json.loads((source / "20260504" / "findings.json").read_text())


def test_good_files_are_done_and_the_others_listed(done):
    _, runs, record = done
    assert [run.returncode for run in runs] == [1, 1]
    assert "Traceback" not in runs[0].stderr + runs[0].stdout
    assert sorted(image["path"] for image in record["images"]) == sorted(
        ["good.png", "Good.png", "link.png", "link/linked.png", "y" * 251 + ".png", "a\nerror: all is well\x1b[2J.png"]
    )
    failed = {failure["path"]: failure["reason"] for failure in record["failures"]}
    assert set(failed) == {*HOSTILE, "large.png", "inflates.dcm", "M\\xfcller.png"}
    assert "not UTF-8" in failed["M\\xfcller.png"]
    assert "too large" in failed["large.png"]
    for name in ("outside.mha", "outside.nrrd", "absolute.mha"):
        assert "not a plain file name" in failed[name]


def test_the_second_run_saw_the_same_images(done):
    _, runs, record = done
    assert (
        runs[0].stdout.splitlines()[-len(record["failures"]) :]
        == runs[1].stdout.splitlines()[-len(record["failures"]) :]
    )


def test_no_line_is_forged(done):
    for run in done[1]:
        assert "\x1b" not in run.stdout + run.stderr
        assert not [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("error: all is well")]


def test_nothing_is_left_over(done):
    folder, _, record = done
    out = folder / "2026_0504" / "20260504"
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []
    cases = [image["case"].casefold() for image in record["images"]]
    assert len(set(cases)) == len(cases)
