"""What a release writes of one packed bundle: a repository of Hugging Face, and the zoo's two folders."""

from __future__ import annotations

import hashlib
import json

import pytest
import yaml

from cxr_common.errors import InputError
from cxr_tools.pack.dist import write_dist
from cxr_verify.options import Options
from cxr_verify.outcome import Status
from cxr_verify.runner import verify
from cxr_verify.source import open_bundle
from tools.bundles.generate import CONSTRAINTS, read_pins
from tools.release.card import linked
from tools.release.facts import read_hub, read_record, values
from tools.release.folders import model_entry, read_zip, repository_files, write_files, zoo_files
from tools.release.verified import check_verified
from tools.repository import BUNDLES, REPOSITORY

NAME = "cxr_pylon_localization"
REPO = f"someone/{NAME}"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The files of the bundle's zip."""
    folder = tmp_path_factory.mktemp("dist")
    write_dist([BUNDLES / NAME], folder, "", REPOSITORY / "docs", read_pins(CONSTRAINTS))
    return read_zip(next(folder.glob("*.zip")))


@pytest.fixture
def written(tmp_path, packed):
    """The folder for Hugging Face on disk."""
    write_files(repository_files(packed, read_hub(BUNDLES / NAME), REPO), tmp_path / NAME)
    return tmp_path / NAME


def front_matter(folder):
    _, front, card = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), card


def test_the_front_matter_has_the_figures_of_the_result_file(written):
    front, _ = front_matter(written)
    assert (front["license"], front["library_name"]) == ("apache-2.0", "monai")
    record = json.loads((REPOSITORY / "docs" / "results" / "nih.json").read_text(encoding="utf-8"))
    point = record["tests"]["boxes"]["figures"]["point"]["micro"]["methods"]["pylon"]["value"]
    first, _ = front["model-index"][0]["results"]
    assert first["metrics"][0]["value"] == pytest.approx(point, abs=5e-5)
    assert front["metrics"] == ["point_accuracy", "roc_auc"]


def test_the_card_cites_and_states_terms_and_its_links_lead_to_pages(written):
    _, card = front_matter(written)
    assert "@software{cxr_pylon_localization," in card
    assert (written / "docs" / "data_license.txt").read_text(encoding="utf-8").strip() in card
    assert f"--repo {REPO} --version" in card
    assert "](docs/how-to/monai_label.md)" in card and "<!--" not in card


def test_the_repository_passes_and_fails_where_a_page_is_gone(written, capsys):
    check_verified([written], Options(static=True, skip=("configs.infer_ids", "configs.train_ids", "weights")))
    assert "checks passed" in capsys.readouterr().out
    (written / "docs" / "how-to" / "monai_label.md").unlink()
    with pytest.raises(InputError, match="readme.links: README.md links to docs/how-to/monai_label.md"):
        check_verified([written], Options(only=("readme.links",)))


def test_an_entry_of_hf_models_has_what_the_zoo_asks_for(packed, tmp_path):
    write_files(model_entry(packed, REPO), tmp_path / NAME)
    assert {path.name for path in (tmp_path / NAME).iterdir()} == {"README.md", "LICENSE", "metadata.json"}
    with open_bundle(tmp_path / NAME) as bundle:
        found = {result.check: result.status for result in verify(bundle, Options(static=True, zoo=True))}
    assert found["hub.metadata"] is found["metadata.version"] is found["files.licence"] is Status.PASS
    assert f"](https://huggingface.co/{REPO}/blob/main/docs/" in (tmp_path / NAME / "README.md").read_text("utf-8")


def test_files_that_are_too_large_for_the_zoo_are_named_with_their_hash(packed, tmp_path):
    assert zoo_files(packed, REPO) == packed
    kept = zoo_files(packed, REPO, most=2**20)
    assert packed.keys() - kept.keys() == {"models/model.pt"}
    (entry,) = yaml.safe_load(kept["large_files.yml"])["large_files"]
    assert entry["hash_val"] == hashlib.sha256(packed["models/model.pt"]).hexdigest()
    write_files(kept, tmp_path / NAME)
    check_verified([tmp_path / NAME], Options(only=("files.large_files", "files.weights")))


def test_links_elsewhere_stay_as_they_are():
    assert linked("[a](b.md#c) [d](https://e.org) [f](#g)", "docs/") == "[a](docs/b.md#c) [d](https://e.org) [f](#g)"


@pytest.mark.parametrize("bundle", sorted(page.parent for page in BUNDLES.glob("*/bundle.yaml")), ids=lambda b: b.name)
def test_every_bundle_has_figures_for_its_card(bundle):
    hub = read_hub(bundle)
    assert all(0 < value <= 1 for _, value in values(hub, read_record(hub)))


def test_a_figure_that_is_not_there_is_named():
    hub = read_hub(BUNDLES / NAME)
    with pytest.raises(InputError, match="nih.json: has no boxes"):
        values(hub, {"tests": {}})
