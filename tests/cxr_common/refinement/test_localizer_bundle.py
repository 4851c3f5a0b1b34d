from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

from cxr_common.data.phantom import make_phantom
from cxr_common.errors import InputError
from cxr_common.findings import load_heatmap
from cxr_common.refinement.localized import localized_items
from cxr_common.refinement.localizer_bundle import LocalizerBundle
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_pylon_localization"


@pytest.fixture(scope="module")
def radiograph(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "x.png"
    picture = make_phantom(99, 1, findings=("Cardiomegaly",)).image
    Image.fromarray((picture * 255).astype(np.uint8)).save(path)
    return path


def test_it_says_what_the_bundles_inference_says(radiograph, tmp_path):
    out = LocalizerBundle(BUNDLE)(radiograph)
    flow = ConfigWorkflow(
        config_file=str(BUNDLE / "configs" / "inference.json"),
        workflow_type="infer",
        bundle_root=str(BUNDLE),
        dataset_dir=str(radiograph.parent),
        output_dir=str(tmp_path),
    )
    flow.initialize()
    flow.run()
    (item,) = localized_items(tmp_path)
    assert [out[key] for key in ("label_names", "decision")] == [item[key] for key in ("label_names", "decision")]
    # A run takes the network channels-last, which on some processors changes the last digit that is written.
    assert out["probability"] == pytest.approx(item["probability"], abs=2e-6)
    assert out["decision"][out["label_names"].index("Cardiomegaly")] == 1
    torch.testing.assert_close(out["heatmap"].half(), torch.from_numpy(load_heatmap(item["heatmap"]).heatmap))


def test_a_file_that_is_no_radiograph_is_an_error(tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(InputError) as caught:
        LocalizerBundle(BUNDLE)(tmp_path / "x.png")
    assert str(tmp_path / "x.png") in str(caught.value)


def test_a_folder_that_is_no_bundle_is_an_error(tmp_path):
    with pytest.raises(InputError, match=f"not a localiser bundle.*fetch the bundle {tmp_path.name}"):
        LocalizerBundle(tmp_path)("x.png")
    with pytest.raises(InputError, match="no localiser is named"):
        LocalizerBundle(None)("x.png")
