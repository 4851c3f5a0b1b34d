from __future__ import annotations

import ast

import pytest

from cxr_tools.pack.code import PACKAGE, code_files, code_name, folder_of, needed_folders, renamed
from tests.bundles.conftest import BUNDLES
from tests.golden import REPOSITORY

ROOMS = {"localization", "refinement", "segmentation", "detection"}


def configs_of(name):
    configs = (REPOSITORY / "bundles" / name / "configs").iterdir()
    return [path.read_text(encoding="utf-8") for path in configs if path.name != "metadata.json"]


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_carries_the_ground_and_its_own_room(name):
    folders = needed_folders(configs_of(name))
    rooms = ROOMS & {folder[0] for folder in folders if folder}
    assert len(rooms) == 1
    assert {(), ("data",), ("findings",), ("start",)} <= folders
    assert ("data", "phantom") not in folders


@pytest.mark.parametrize("name", BUNDLES)
def test_no_import_leads_to_what_is_not_carried(name):
    files = dict(code_files("own_v1", needed_folders(configs_of(name))))
    assert "own_v1/__init__.py" in files
    for path, content in files.items():
        assert b"cxr_common" not in content, path
        if not path.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(content)):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if module and module.startswith("own_v1."):
                place = module.replace(".", "/")
                assert f"{place}.py" in files or f"{place}/__init__.py" in files, f"{path} imports {module}"


def test_files_that_are_no_modules_come_along():
    files = dict(code_files("own_v1", needed_folders(configs_of("cxr_pylon_localization"))))
    kept = {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*") if p.suffix in (".npz", ".j2", ".typed")}
    assert {f"own_v1/{path}" for path in kept} <= set(files)


def test_names_of_classes_end_a_folder():
    assert folder_of(".localization.Pylon") == ("localization",)
    assert folder_of(".localization.saliency.methods.Cam") == ("localization", "saliency")
    assert folder_of("") == ()


def test_what_is_not_carried_keeps_its_name():
    text = "$import cxr_common; cxr_common.findings.load_thresholds, cxr_common.data.phantom, my_cxr_common.x"
    folders = {(), ("findings",), ("data",)}
    assert renamed(text, "own_v1", folders) == (
        "$import own_v1; own_v1.findings.load_thresholds, cxr_common.data.phantom, my_cxr_common.x"
    )


def test_the_name_says_bundle_and_version():
    assert code_name("cxr_a", "1.10.0") != code_name("cxr_a", "11.0.0")
    assert code_name("cxr_a", "1.0.0-rc.1").isidentifier()
