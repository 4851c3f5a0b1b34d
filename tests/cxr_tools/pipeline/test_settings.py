from __future__ import annotations

import re

import pytest

from cxr_common.errors import InputError
from cxr_tools.pipeline.settings import FOLDER, PARTS, load_settings
from tools.repository import REPOSITORY


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.yaml")))
def test_shipped_settings_name_configs_that_are_there(name):
    settings = load_settings(name)
    bundles = {"relation_network": "cxr_irn_refinement", "segmenter": "cxr_chexseg_segmentation"}
    for part in PARTS:
        bundle = REPOSITORY / "bundles" / bundles.get(part, "cxr_pylon_localization") / "configs"
        for config in settings[part]["configs"]:
            assert (bundle / config).is_file(), (name, part, config)


def test_what_is_not_known_is_refused(tmp_path):
    with pytest.raises(InputError, match="phantoms"):
        load_settings("nothing")
    (tmp_path / "s.yaml").write_text("segmentor: {}\n")
    with pytest.raises(InputError, match="segmentor"):
        load_settings(tmp_path / "s.yaml")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("localizer: {train: true", "not YAML"),
        ("- a", "is not a mapping"),
        ("localizer: train", "is not a part of a pipeline"),
        ("localizer: {trian: true}", "is not a part of a pipeline; give train, configs, overrides"),
        ("segmenter: {configs: train.yaml}", "segmenter: configs: is 'train.yaml'; give a list"),
        ("segmenter: {train: maybe}", "segmenter: train: is 'maybe'; give a bool"),
    ],
)
def test_settings_of_another_form_are_one_error(tmp_path, content, said):
    path = tmp_path / "settings.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=re.escape(said)):
        load_settings(path)
