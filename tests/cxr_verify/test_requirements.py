"""Each wheel asks for what cxr_verify needs."""

from __future__ import annotations

import tomllib

from tests.golden import REPOSITORY


def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_whole_package_needs_what_the_validator_needs():
    alone = project(REPOSITORY / "common" / "cxr_verify")
    assert set(alone["dependencies"]) <= set(project(REPOSITORY)["dependencies"])


def test_the_extra_exports_has_what_torch_writes_onnx_with():
    assert any(
        need.startswith("onnxscript")
        for need in project(REPOSITORY / "common" / "cxr_verify")["optional-dependencies"]["exports"]
    )
