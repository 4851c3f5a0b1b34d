"""Every JSON file the product reads: whatever is in it, one InputError or a sound value; nothing else."""

import copy
import json
import os
import random
from pathlib import Path

import pytest

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.findings import load_thresholds, read_findings
from cxr_common.json_files import read_json
from cxr_common.refinement.localized import localized_items

THRESHOLDS = {
    "labels": ["Mass", "Nodule"],
    "decision": {"Mass": 0.4, "Nodule": 0.5},
    "mask": {"Mass": 0.4, "Nodule": 0.5},
    "mask_mode": "relative",
    "tuned_on": {"input_size": [256, 256]},
    "weights_sha256": "5ab2",
    "walk": {"radius": 3, "beta": 5, "steps": {"Mass": 8, "Nodule": 2}},
}
FINDING = {"probability": 0.9, "threshold": 0.4, "decision": True, "boxes": [{"box": [1, 2, 3.5, 4], "score": 0.9}]}
FINDINGS = {
    "schema_version": "1.0",
    "model": {"name": "b", "version": "1", "labels": ["Mass", "Nodule"], "thresholds": THRESHOLDS},
    "input_dir": "/data",
    "summary": {"images": 1, "failures": 0},
    "images": [
        {
            "case": "a",
            "path": "a.png",
            "size": [9, 9],
            "spacing_mm": None,
            "findings": [{"label": label, **FINDING} for label in ("Mass", "Nodule")],
            "files": {"heatmap": "a_heatmap.npz", "overlay": "a_overlay.png", "masks": {"Mass": "a_Mass.nii.gz"}},
        }
    ],
    "failures": [{"path": "b", "reason": "bad", "action": None}],
}
DATALIST = {
    "labels": ["Mass", "Nodule"],
    "training": [
        {
            "image": "a.png",
            "patient": "p",
            "label": [1, None],
            "boxes": [[0, 1, 2, 3]],
            "box_labels": [0],
            "mask": {"Mass": "m.png", "Nodule": None},
            "mask_origin": "expert",
        }
    ],
    "validation": [{"image": "b.png", "group": 5, "label": [0, -1], "heatmap": "b.npz"}],
}


def read_all_findings(path):
    read_findings(path.parent)
    return localized_items(path.parent)


READERS = {
    "thresholds.json": (THRESHOLDS, lambda path: load_thresholds(path).input_size),
    "findings.json": (FINDINGS, read_all_findings),
    "datalist.json": (DATALIST, lambda path: load_datalist(path, check_files=False)),
}


def outcome(name, text, folder):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        READERS[name][1](path)
    except InputError as error:
        assert str(folder) in str(error) or name in str(error)
        return str(error)
    return ""


@pytest.mark.parametrize("name", READERS)
def test_sound_files_are_read(tmp_path, name):
    assert outcome(name, json.dumps(READERS[name][0]), tmp_path) == ""


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"null", b"[]", b"5", b'"x"', b"\xff\xfe", b"{}", b"NaN", b'{"a": Infinity}', b'{"a": 1e999}'),
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"labels": ["\\ud800"]}',
        b'{"a": 1, "a": 1}',
        b'[{"b": {"a": [], "a": []}}]',
    ],
)
def test_broken_files_are_one_error(tmp_path, name, text):
    assert outcome(name, text, tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_mutants_are_read_or_refused(tmp_path, name):
    """A value anywhere replaced by another kind, or an entry removed."""
    draw = random.Random(name)
    odd = [
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        "",
        "x",
        "..",
        "/etc/passwd",
        "a\nb\x1b",
        [],
        [[]],
        {},
        {"a": 1},
        [None],
        "y" * 300,
    ]
    refused = 0
    for _ in range(400):
        data = copy.deepcopy(READERS[name][0])
        parent, keys = data, []
        while True:
            keys = list(parent) if isinstance(parent, dict) else range(len(parent))
            key = draw.choice(list(keys))
            if isinstance(parent[key], (dict, list)) and len(parent[key]) and draw.random() < 0.8:
                parent = parent[key]
                continue
            break
        if draw.random() < 0.2:
            del parent[key]
        else:
            parent[key] = draw.choice(odd)
        refused += bool(outcome(name, json.dumps(data), tmp_path))
    assert refused > 100


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"images": 5}, "images: input should be a valid list"),
        ({"model": {}}, "model.name: field required"),
        ({"failures": [{}]}, r"failures\[0\].path: field required \(and 1 more\)"),
    ],
)
def test_the_field_is_named(tmp_path, change, reason):
    (tmp_path / "findings.json").write_text(json.dumps(FINDINGS | change))
    with pytest.raises(InputError, match=reason):
        read_findings(tmp_path)


def changed_image(**change):
    (image,) = copy.deepcopy(FINDINGS["images"])[:1]
    return {"images": [image | change]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"images": FINDINGS["images"][:1] * 2}, "two images are the case"),
        (changed_image(case="../../a"), "the case is not a plain name"),
        (changed_image(case=".."), "the case is not a plain name"),
        (changed_image(size=[10**6, 10**6]), "too large"),
        (changed_image(spacing_mm=[0.2, -0.2]), "not above 0"),
        (changed_image(files={"masks": {"no class": "a.nii.gz"}}), "a mask of 'no class'"),
    ],
)
def test_what_no_run_writes(tmp_path, change, reason):
    (tmp_path / "findings.json").write_text(json.dumps(FINDINGS | change))
    with pytest.raises(InputError, match=reason):
        read_findings(tmp_path)


def test_boxes_are_not_inverted(tmp_path):
    data = copy.deepcopy(FINDINGS)
    data["images"][0]["findings"][0]["boxes"] = [{"box": [9, 9, 1, 1]}]
    (tmp_path / "findings.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match="the box is inverted"):
        read_findings(tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_a_key_is_there_once(tmp_path, name):
    text = json.dumps(READERS[name][0])
    assert "'labels' twice" in outcome(name, text.replace('"labels"', '"labels": ["other"], "labels"', 1), tmp_path)


@pytest.mark.parametrize("name", ["../a.npz", "/etc/passwd", "sub/a.npz", "..", "", "a\\b"])
def test_files_of_a_run_lie_in_its_folder(tmp_path, name):
    record = copy.deepcopy(FINDINGS)
    record["images"][0]["files"]["heatmap"] = name
    (tmp_path / "findings.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"images\[0\].files.heatmap"):
        read_findings(tmp_path)


def test_an_image_does_not_leave_the_input_folder_by_dots(tmp_path):
    record = copy.deepcopy(FINDINGS)
    record["images"][0]["path"] = "../secret.png"
    (tmp_path / "findings.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="leads out of input_dir"):
        read_findings(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "p.json")
    with pytest.raises(InputError, match="is not a file"):
        read_json(Path(tmp_path / "p.json"), "mend it")
