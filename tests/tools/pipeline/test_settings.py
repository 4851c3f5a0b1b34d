from __future__ import annotations

import pytest

from cxr_common.errors import InputError
from tools.pipeline.settings import FOLDER, PARTS, load_settings
from tools.pipeline.stage import REPOSITORY


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
