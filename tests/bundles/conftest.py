from __future__ import annotations

import pytest

from cxr_common.data.phantom import PhantomConfig
from cxr_tools.make_phantoms import make_data_set
from tools.bundles.generate import read_page
from tools.repository import BUNDLES as FOLDER


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """A tiny data set: 32 phantoms to train on, 8 to validate, 8 to test, 64 pixels wide."""
    folder = tmp_path_factory.mktemp("data") / "phantoms"
    make_data_set(folder, {"training": 32, "validation": 8, "testing": 8}, 5, PhantomConfig(size=64), workers=1)
    return folder


#: The localiser that is tested in full whenever tests are run.
FIRST = "cxr_pylon_localization"
#: Bundles that learn heatmaps from image-level labels: one set of tests for all of them.
LOCALIZERS = (
    FIRST,
    *sorted(
        name
        for name in (page.parent.name for page in FOLDER.glob("*/bundle.yaml"))
        if name != FIRST and read_page(FOLDER / name / "bundle.yaml")["kind"] == "localizer"
    ),
)
#: All of them: what every bundle must do is asked of each.
BUNDLES = (*LOCALIZERS, "cxr_irn_refinement", "cxr_chexseg_segmentation", "cxr_oxnet_detection")
#: Those that give boxes: a list an image, so neither label mask nor heatmap.
DETECTORS = ("cxr_oxnet_detection",)


@pytest.fixture(scope="module", params=LOCALIZERS)
def bundle(request):
    """Folder of each localiser bundle in turn; a module that asks something of every bundle has its own."""
    return FOLDER / request.param


@pytest.hookimpl(tryfirst=True)  # before those that are marked slow are left out
def pytest_collection_modifyitems(items):
    """What is marked one_localizer is a slow test of the other localisers: one template makes all their configs."""
    for item in items:
        if item.get_closest_marker("one_localizer") and any(name in item.name for name in LOCALIZERS[1:]):
            item.add_marker(pytest.mark.slow)
