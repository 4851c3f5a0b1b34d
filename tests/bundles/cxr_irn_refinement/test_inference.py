"""Pseudo-masks of the images that a datalist names."""

from __future__ import annotations

from PIL import Image

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.phantom import make_phantom
from cxr_common.labels import LABELS
from tests.bundles.workflow import findings_of
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_irn_refinement"


def test_a_datalist_may_call_its_own_things_as_inference_calls_its_results(tmp_path):
    picture = (make_phantom(99, 1, findings=("Cardiomegaly",)).image * 255).astype("uint8")
    items = []
    for name, own in (("a", {"findings": ["Infiltration"], "masks": "two", "known": 1}), ("b", {})):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
        label = [int(label == "Cardiomegaly") for label in LABELS]
        items.append({"image": f"{name}.png", "patient": name, "label": label, **own})
    write_datalist({"labels": list(LABELS), "training": items}, tmp_path / "datalist.json")
    record = findings_of(BUNDLE, tmp_path, tmp_path / "out", datalist=str(tmp_path / "datalist.json"))
    assert record["failures"] == [] and len(record["images"]) == 2
    made = load_datalist(tmp_path / "out" / "datalist.json", "training")
    assert [item["mask"]["Cardiomegaly"] is not None for item in made] == [True, True]
