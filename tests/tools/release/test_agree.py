"""Everything of this checkout agrees, and each thing that does not is one error."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import yaml

from cxr_common.errors import InputError
from tools.release import agree
from tools.release.agree import check_bundle, check_package
from tools.repository import BUNDLES, REPOSITORY

NAME = "cxr_pylon_localization"


@pytest.fixture
def bundle(tmp_path):
    """A bundle that a test may change."""
    return shutil.copytree(BUNDLES / NAME, tmp_path / NAME)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """The files of a checkout that state a version, without its pages."""
    monkeypatch.setattr(agree, "PAGES", ())
    for name in ("CITATION.cff", "CHANGELOG.md"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_this_checkout_agrees():
    check_package(REPOSITORY, final=False)


def test_a_page_with_another_figure(checkout, monkeypatch):
    monkeypatch.setattr(agree, "PAGES", ("README.md",))
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    changed = re.sub(r"\| \.\d\d \[", "| .99 [", text, count=1)
    assert changed != text
    (checkout / "README.md").write_text(changed, encoding="utf-8")
    with pytest.raises(InputError, match="README.md: shows other figures than docs/results; make tables"):
        check_package(checkout, final=False)


def test_another_version_in_the_citation(checkout):
    replace(checkout / "CITATION.cff", "version: 0.1.0", "version: 0.0.9")
    with pytest.raises(InputError, match="CITATION.cff: has the version 0.0.9, and the package has 0.1.0"):
        check_package(checkout, final=False)


def test_a_final_release_wants_its_own_section_of_the_changelog(checkout):
    with pytest.raises(InputError, match="begins with Unreleased"):
        check_package(checkout, final=True)
    replace(checkout / "CHANGELOG.md", "## Unreleased", "## 0.1.0 - 2026-12-01")
    check_package(checkout, final=True)
    replace(checkout / "CHANGELOG.md", "## 0.1.0", "## Unreleased\n- new\n\n## 0.1.0")
    with pytest.raises(InputError, match="raise the version"):
        check_package(checkout, final=False)


def test_a_bundle_as_it_is(bundle):
    check_bundle(bundle)


def test_a_config_that_was_changed_by_hand(bundle):
    replace(bundle / "configs" / "metadata.json", '"0.5.0"', '"0.5.1"')
    with pytest.raises(InputError, match="metadata.json: is not what bundle.yaml and the templates make; make bundles"):
        check_bundle(bundle)


def test_other_weights_than_those_that_were_scored(bundle):
    with (bundle / "models" / "model.pt").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError, match="is not pylon-seed0, which docs/results/nih.json scored"):
        check_bundle(bundle)


def test_thresholds_of_other_weights(bundle):
    path = bundle / "models" / "thresholds.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | {"weights_sha256": "0" * 64}), encoding="utf-8")
    with pytest.raises(InputError, match="was tuned for other weights"):
        check_bundle(bundle)


def test_terms_that_leave_a_source_out(bundle):
    replace(bundle / "docs" / "data_license.txt", "ImageNet weights", "weights")
    path = bundle / "docs" / "data_license.txt"
    path.write_text(path.read_text(encoding="utf-8").replace("ImageNet", "photographs"), encoding="utf-8")
    with pytest.raises(InputError, match="does not speak of ImageNet"):
        check_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"hub": None}, "hub: "), ({"hub": {"pipeline_tag": 1}}, "hub#pipeline_tag: ")],
)
def test_a_bundle_without_facts_for_its_card(bundle, change, told):
    page = bundle / "bundle.yaml"
    page.write_text(yaml.safe_dump(yaml.safe_load(page.read_text(encoding="utf-8")) | change, sort_keys=False), "utf-8")
    with pytest.raises(InputError, match=told):
        check_bundle(bundle)
