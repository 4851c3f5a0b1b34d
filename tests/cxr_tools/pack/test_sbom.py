from __future__ import annotations

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cxr_common.errors import InputError
from cxr_tools.pack.sbom import bill_of_materials, dependencies, requirements
from tools.bundles.generate import CONSTRAINTS, read_pins

FACTS = {
    "version": "1.2.3",
    "description": "a bundle",
    "monai_version": "1.6.1",
    "pytorch_version": "2.13.0",
    "numpy_version": "2.4.6",
    "required_packages_version": {"pyyaml": "6.0.3", "nibabel": "5.4.2"},
    "training_packages_version": {"tensorboard": "2.21.0"},
}
PINS = {name.replace("_", "-").replace(".", "-"): version for name, version in read_pins(CONSTRAINTS).items()}


def test_torch_comes_first():
    light = ["torch==2.13.0", "monai==1.6.1", "nibabel==5.4.2", "numpy==2.4.6", "pyyaml==6.0.3"]
    assert requirements(FACTS, training=False).splitlines() == light
    assert requirements(FACTS).splitlines() == [*light, "tensorboard==2.21.0"]


def test_what_is_required_is_followed_to_the_end():
    found = dependencies({"nibabel"}, PINS)
    assert {"nibabel", "numpy", "packaging"} <= set(found)
    assert "numpy" in found["nibabel"]
    with pytest.raises(InputError, match="no version of "):
        dependencies({"nibabel"}, {"nibabel": "5.4.2", "numpy": "2.4.6", "typing-extensions": "4"})


def test_the_bill_is_valid_and_the_same_each_time():
    files = {"models/model.pt": b"weights", "configs/train.yaml": b""}
    text = bill_of_materials(FACTS, "cxr_x", files, PINS)
    assert text == bill_of_materials(FACTS, "cxr_x", files, PINS)
    content = json.loads(text)
    versions = {part["name"]: part.get("version") for part in content["components"]}
    assert versions["torch"] == "2.13.0"
    assert versions["sympy"]  # which torch requires
    weights = next(part for part in content["components"] if part["name"] == "models/model.pt")
    assert weights["hashes"][0]["alg"] == "SHA-256"
    links = {link["ref"]: link.get("dependsOn", []) for link in content["dependencies"]}
    assert set(links["cxr_x"]) == {"torch", "monai", "nibabel", "numpy", "pyyaml", "tensorboard", "models/model.pt"}


def test_the_bill_follows_the_schema():
    text = bill_of_materials(FACTS, "cxr_x", {}, PINS)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace("bomFormat", "format")) is not None
