"""A bundle's configs are what its bundle.yaml and the templates of its kind make of it."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from cxr_common.errors import InputError
from cxr_tools.generated import without_notice
from tests.bundles.conftest import BUNDLES as NAMES
from tests.bundles.conftest import LOCALIZERS
from tools.bundles import generate as module
from tools.bundles.generate import generate, write
from tools.repository import BUNDLES

FOLDERS = [BUNDLES / name for name in NAMES]


@pytest.fixture
def copy(tmp_path):
    """A bundle that a test may change."""
    folder = tmp_path / "cxr_pylon_localization"
    shutil.copytree(BUNDLES / folder.name, folder, ignore=shutil.ignore_patterns("models"))
    return folder


def page(folder, **changes):
    facts = yaml.safe_load((folder / "bundle.yaml").read_text())
    (folder / "bundle.yaml").write_text(yaml.safe_dump({**facts, **changes}))


@pytest.mark.parametrize("bundle", FOLDERS, ids=lambda folder: folder.name)
def test_committed_configs_are_what_the_templates_make(bundle):
    made = generate(bundle)
    configs = {path for path in made if path.parent.name == "configs"}
    assert configs == set((bundle / "configs").iterdir()), "a config that no template makes, or none was written"
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run `make bundles`"


@pytest.mark.parametrize("bundle", FOLDERS, ids=lambda folder: folder.name)
def test_every_config_says_that_it_is_generated(bundle):
    for path in (bundle / "configs").iterdir():
        first = path.read_text(encoding="utf-8").splitlines()
        assert module.NOTICE in (first[1] if path.suffix == ".json" else first[0])


def test_writing_changes_what_the_page_changed_and_nothing_else(copy):
    assert write(copy) == []
    page(copy, version="9.9.9", changelog={"9.9.9": "another"})
    assert {path.name for path in write(copy)} == {"inference.json", "metadata.json"}
    assert json.loads((copy / "configs" / "metadata.json").read_text())["version"] == "9.9.9"
    assert write(copy) == []


def test_localizers_share_all_but_what_their_pages_say():
    """A comparison of localisers compares networks: their recipes, schedules and augmentation are one template's."""
    configs = [yaml.safe_load((BUNDLES / name / "configs" / "train.yaml").read_text()) for name in LOCALIZERS]
    for config in configs:
        del config["network_def"], config["heatmap_inferer"]
        handlers = config["validate"]["handlers"]
        config["validate"]["handlers"] = [h for h in handlers if not h["_target_"].endswith(".TensorBoardRelevance")]
    assert configs[0] == configs[1] == configs[2]


@pytest.mark.parametrize("bundle", LOCALIZERS)
def test_class_probabilities_are_those_that_thresholds_were_tuned_on(bundle):
    """Where heatmaps are the network's own, its pooling gives them; SaliencyInferer's have them as largest pixel."""
    config = json.loads((BUNDLES / bundle / "configs" / "inference.json").read_text())
    pool, inferer = config["postprocessing"]["transforms"][0]["pool"], config["inferer"]["_target_"]
    if bundle == "cxr_pylon_localization":  # the network's pooling is the maximum
        assert (inferer, pool) == ("cxr_common.networks.PlainInferer", "max")
    else:
        own = inferer == "cxr_common.networks.PlainInferer"
        assert own or inferer == "cxr_common.localization.SaliencyInferer"
        assert pool == ("$@network_def.pool" if own else "max")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("kind: [", "not YAML"),
        ("kind: oracle", "names no kind of bundle"),
        ("- 1", "names no kind of bundle"),
        ("kind: localizer\nversion: 1.0.0", "lacks what [A-Za-z_]+.[a-z]+ needs"),
    ],
)
def test_a_bad_page_is_refused_and_nothing_is_written(copy, text, words):
    before = {path: path.read_bytes() for path in (copy / "configs").iterdir()}
    (copy / "bundle.yaml").unlink()
    if text is not None:
        (copy / "bundle.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        write(copy)
    assert {path: path.read_bytes() for path in (copy / "configs").iterdir()} == before


def test_a_copy_can_drop_the_notice():
    assert without_notice(f"# {module.NOTICE}\na: 1\n") == "a: 1\n"
    assert without_notice("a: 1\n") == "a: 1\n"
