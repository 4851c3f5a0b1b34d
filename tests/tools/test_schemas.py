"""The committed JSON Schemas are those of the models, and refuse what the package refuses."""

from __future__ import annotations

import copy
import json
import re

import jsonschema
import pytest

from cxr_common.data.datalist_validation import validate_datalist
from cxr_common.errors import InputError
from cxr_common.findings.record_models import BoxThresholdsRecord, FindingsRecord, MapThresholdsRecord
from cxr_common.json_files import check_record
from tools.repository import BUNDLES, REPOSITORY
from tools.schemas import FOLDER, MODELS, schema

DATALIST = {
    "labels": ["Mass", "Nodule"],
    "training": [
        {"image": "a.png", "patient": 7, "label": [1, None], "boxes": [[0, 0, 0.5, 9]], "box_labels": [1], "other": {}},
        {"image": "b.png", "mask": {"Mass": "m.png", "Nodule": None}, "mask_origin": "expert", "findings": []},
    ],
}


def documented(page):
    """The first JSON block of a part of docs/reference/findings.md."""
    text = (REPOSITORY / "docs" / "reference" / "findings.md").read_text(encoding="utf-8")
    return json.loads(re.search(rf"^## {page}.*?```json\n(.*?)```", text, re.MULTILINE | re.DOTALL)[1])


EXAMPLES = {
    "datalist": DATALIST,
    "findings": documented("findings.json"),
    "thresholds": documented("thresholds.json"),
}


def read(name, content):
    """Check content as the package does when it reads such a file."""
    if name == "datalist":
        if problems := validate_datalist(content):
            raise InputError(str(problems[0]))
    elif name == "findings":
        check_record(content, FindingsRecord, name, "")
    else:
        model = BoxThresholdsRecord if content.get("kind") == "boxes" else MapThresholdsRecord
        check_record(content, model, name, "")


def validator(name):
    content = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


@pytest.mark.parametrize("name", MODELS)
def test_committed_schemas_are_those_of_the_models(name):
    committed = (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == schema(name), "run python -m tools.schemas"


@pytest.mark.parametrize("name", MODELS)
def test_examples_are_sound_by_schema_and_by_package(name):
    validator(name).validate(EXAMPLES[name])
    read(name, EXAMPLES[name])


@pytest.mark.parametrize("path", sorted(BUNDLES.glob("*/models/**/thresholds.json")), ids=lambda p: p.parts[-3])
def test_shipped_thresholds_are_sound(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    validator("thresholds").validate(content)
    read("thresholds", content)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("datalist", ["labels"], []),
        ("datalist", ["labels"], None),
        ("datalist", ["training"], {}),
        ("datalist", ["training", 0, "image"], "/a.png"),
        ("datalist", ["training", 0, "image"], "C:\\a.png"),
        ("datalist", ["training", 0, "image"], " "),
        ("datalist", ["training", 0, "patient"], 1.5),
        ("datalist", ["training", 0, "label"], [2, 0]),
        ("datalist", ["training", 0, "boxes"], [[1, 2, 3]]),
        ("datalist", ["training", 0, "boxes"], [[-1, 2, 3, 4]]),
        ("datalist", ["training", 0, "boxes"], None),
        ("datalist", ["training", 0, "box_labels"], ["Mass"]),
        ("datalist", ["training", 1, "mask"], {"Mass": 1}),
        ("datalist", ["training", 1, "mask_origin"], "me"),
        ("datalist", ["training", 1, "findings"], "Lump"),
        ("findings", ["images", 0, "files", "overlay"], "../a.png"),
        ("findings", ["images", 0, "size"], [0, 3]),
        ("findings", ["images", 0, "findings", 0, "probability"], 1.5),
        ("findings", ["images", 0, "findings", 0, "decision"], "yes"),
        ("findings", ["images", 0, "findings", 0, "boxes"], [{"box": [1, 2, 3]}]),
        ("findings", ["model", "labels"], []),
        ("findings", ["failures"], [{"path": "a"}]),
        ("thresholds", ["kind"], "boxes and maps"),
        ("thresholds", ["decision"], {"Mass": -0.1, "Nodule": 0.5}),
        ("thresholds", ["mask"], None),
        ("thresholds", ["mask_mode"], "best"),
        ("thresholds", ["walk"], {"radius": 5}),
    ],
)
def test_what_the_schema_refuses_the_package_refuses_too(name, path, value):
    content = copy.deepcopy(EXAMPLES[name])
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        validator(name).validate(content)
    with pytest.raises(InputError):
        read(name, content)


def test_box_thresholds_need_no_masks():
    content = {"kind": "boxes", "labels": ["Mass"], "decision": {"Mass": 0.4}}
    validator("thresholds").validate(content)
    read("thresholds", content)
