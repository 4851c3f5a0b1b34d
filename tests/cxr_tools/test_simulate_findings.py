from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.phantom import make_phantom
from cxr_common.labels import LABELS
from cxr_tools.simulate_findings import main


@pytest.fixture(scope="module")
def datalist(tmp_path_factory):
    """Four phantoms without findings, one with, one of which not everything is known."""
    folder = tmp_path_factory.mktemp("given")
    items = []
    for index, findings in enumerate([(), (), (), (), ("Mass",), ()]):
        phantom = make_phantom(7, index, findings=findings)
        Image.fromarray(np.rint(phantom.image * 255).astype(np.uint8)).save(folder / f"{index}.png")
        label = [None, *phantom.label[1:]] if index == 5 else phantom.label
        items.append({"image": f"{index}.png", "patient": f"p{index}", "view": "PA", "label": label})
    write_datalist({"labels": list(LABELS), "training": items, "validation": []}, folder / "datalist.json")
    return folder / "datalist.json"


def run(datalist, output, *options):
    return main(
        ["--datalist", str(datalist), "--output", str(output), "--sections", "training", "--workers", "1", *options]
    )


def test_findings_lie_where_the_datalist_says(datalist, tmp_path):
    assert run(datalist, tmp_path / "made") == 0
    items = load_datalist(tmp_path / "made" / "datalist.json", "training")
    assert [item["simulated_on"] for item in items] == ["0.png", "1.png", "2.png", "3.png"]
    for item in items:
        before = np.asarray(Image.open(datalist.parent / item["simulated_on"])).astype(int)
        changed = np.abs(np.asarray(Image.open(item["image"])).astype(int) - before) > 12
        present = {LABELS[c] for c, value in enumerate(item["label"]) if value}
        assert present and present == {name for name, path in item["mask"].items() if path}
        inside = np.zeros_like(changed)
        for x0, y0, x1, y1 in item["boxes"]:
            inside[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
        # What changes visibly lies in the boxes but for blurred edges and vessels that fade beside them.
        assert changed.any() and changed[inside].sum() > 0.8 * changed.sum()
        assert item["source"] == "simulated" and item["patient"] == f"p{item['simulated_on'][0]}"


def test_images_without_labels_are_passed_over(datalist, tmp_path, capsys):
    """A detector's datalist may hold some."""
    items = [{"image": f"{n}.png", "patient": f"p{n}", "label": [0] * len(LABELS)} for n in range(4)]
    for name, unlabelled in (("some", 3), ("none", 4)):
        for item in items[:unlabelled]:
            item.pop("label", None)
        write_datalist({"labels": list(LABELS), "training": items}, tmp_path / f"{name}.json")
    root = ("--root", str(datalist.parent))
    assert run(tmp_path / "some.json", tmp_path / "made", *root) == 0
    made = load_datalist(tmp_path / "made" / "datalist.json", "training")
    assert [item["simulated_on"] for item in made] == ["3.png"]
    assert run(tmp_path / "none.json", tmp_path / "nothing", *root) == 1
    assert "no image of section training is free of findings" in capsys.readouterr().err


def test_the_same_seed_makes_the_same_files(datalist, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run(datalist, tmp_path / name, "--seed", str(seed), "--training", "2")
    read = {n: [p.read_bytes() for p in sorted((tmp_path / n / "images").iterdir())] for n in "abc"}
    assert read["a"] == read["b"] != read["c"] and len(read["a"]) == 2


def test_images_of_one_name_in_two_sections_do_not_meet(datalist, tmp_path):
    """CheXpert calls each image view1_frontal, in a folder of its study."""
    items = load_datalist(datalist, "training")[:4]
    data = {"labels": list(LABELS)}
    for section, own in (("training", items[:2]), ("validation", items[2:])):
        data[section] = []
        for number, item in enumerate(own):
            (tmp_path / section / str(number)).mkdir(parents=True)
            place = f"{section}/{number}/view1_frontal.png"
            shutil.copy(item["image"], tmp_path / place)
            data[section].append({**item, "image": place})
    write_datalist(data, tmp_path / "datalist.json")
    assert run(tmp_path / "datalist.json", tmp_path / "made", "--sections", "training", "validation") == 0
    made = [load_datalist(tmp_path / "made" / "datalist.json", section) for section in ("training", "validation")]
    for before, after in zip(items, [*made[0], *made[1]], strict=True):
        old, new = (np.asarray(Image.open(item["image"])).astype(int) for item in (before, after))
        assert np.mean(np.abs(old - new) > 12) < 0.3  # it is the one with findings put in, not another patient's


def test_what_the_datalist_does_not_know_of_stays_unknown(datalist, tmp_path):
    keys, effusion = ("image", "patient"), LABELS.index("Effusion")
    items = [{key: item[key] for key in keys} for item in load_datalist(datalist, "training")[:3]]
    items = [{**item, "image": item["image"].rsplit("/", 1)[-1], "label": [0]} for item in items]
    write_datalist({"labels": ["Effusion"], "training": items}, datalist.parent / "effusions.json")
    assert run(datalist.parent / "effusions.json", tmp_path / "made") == 0
    for item in load_datalist(tmp_path / "made" / "datalist.json", "training"):
        put_in = {name for name, path in item["mask"].items() if path}
        expected = [1 if name in put_in else 0 if c == effusion else None for c, name in enumerate(LABELS)]
        assert item["label"] == expected
        assert set(item["mask"]) == put_in | {"Effusion"}  # one that is not listed is not annotated


def test_images_without_lungs_are_an_error(datalist, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("cxr_tools.simulate_findings.is_plausible", lambda lungs: False)
    assert run(datalist, tmp_path / "made") == 1
    assert "no image of section training has lungs that hold findings (4 looked at)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_free_image_is_an_error_and_leaves_nothing(datalist, tmp_path, capsys):
    items = [{**i, "label": [1] * len(LABELS)} for i in load_datalist(datalist, "training")]
    items = [{**i, "image": i["image"].rsplit("/", 1)[-1]} for i in items]
    write_datalist({"labels": list(LABELS), "training": items}, datalist.parent / "ill.json")
    assert run(datalist.parent / "ill.json", tmp_path / "made") == 1
    assert "free of findings" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_refused(datalist, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    assert run(datalist, tmp_path) == 1
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_classes_that_the_datalist_does_not_annotate_stay_unknown(datalist, tmp_path):
    """An image without an effusion may have a mass; "absent" would be made up."""
    items = [{"image": f"{index}.png", "label": [0]} for index in range(4)]
    write_datalist({"labels": ["Effusion"], "training": items}, datalist.parent / "one.json")
    assert run(datalist.parent / "one.json", tmp_path / "made") == 0
    made = load_datalist(tmp_path / "made" / "datalist.json", "training")
    for item in made:
        absent = {name for name, value in zip(LABELS, item["label"], strict=True) if value == 0}
        present = {name for name, value in zip(LABELS, item["label"], strict=True) if value == 1}
        assert present and absent <= {"Effusion"} and set(item["mask"]) == present | absent


def test_a_count_of_a_section_that_is_not_made_is_refused(datalist, tmp_path, capsys):
    assert run(datalist, tmp_path / "made", "--validation", "2") == 1
    assert "--validation: is of a section that is not made; add validation to --sections" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_only_the_findings_that_are_named_are_put_in(datalist, tmp_path):
    assert run(datalist, tmp_path / "made", "--findings", "Nodule", "Mass") == 0
    items = load_datalist(tmp_path / "made" / "datalist.json", "training")
    found = {LABELS[c] for item in items for c, value in enumerate(item["label"]) if value}
    assert found and found <= {"Nodule", "Mass"}
