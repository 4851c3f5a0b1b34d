import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import itk
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.transforms import Compose, Resized
from PIL import Image

from cxr_common.data import read_picture
from cxr_common.errors import InputError
from cxr_common.findings import CaseWriter, FindingsWriter, NotForThisImageError, Thresholds, load_heatmap, overlay
from cxr_common.findings.palette import class_colour
from cxr_common.findings.writers import heatmap_npz, mask_files
from cxr_common.localization import SaliencyInferer
from cxr_common.transforms import LoadRadiographd, LocalizeFindingsd

LABELS = ("Mass", "Pleural effusion")
TOP_RIGHT = (7, 0)


def save_image(path, size=(90, 60)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.tile(np.linspace(60, 120, size[0]), (size[1], 1)).astype(np.uint8)).save(path)
    return path


def localized(path, spots=None, labels=LABELS):
    """An item as it leaves the postprocessing; spots: class index -> hot cell (x, y) of 8 x 8."""
    item = Compose([LoadRadiographd("image"), Resized("image", (32, 32), mode="area")])({"image": str(path)})
    logits = torch.full((len(labels), 8, 8), -6.0)
    for index, cell in ({0: TOP_RIGHT} if spots is None else spots).items():
        logits[(index, *cell)] = 4.0
    return LocalizeFindingsd(thresholds=Thresholds.default(labels))({**item, "pred": logits})


def make_writer(folder, labels=LABELS, **options):
    options = {"read_picture": read_picture, "input_dir": folder / "in"} | options
    return FindingsWriter(folder / "out", Thresholds.default(labels), "bundle", "1.0", **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_record_names_the_saliency_method_and_a_foreign_one_is_warned_of(tmp_path, caplog):
    tuned = replace(
        Thresholds.default(LABELS), tuned_on={"saliency": {"method": "cam", "layer": None}}, source="t.json"
    )
    for method, warned in (("cam", False), ("gradcam", True)):
        inferer = SaliencyInferer(method, "layer4")
        make = FindingsWriter(tmp_path / method, tuned, "bundle", "1.0", inferer=inferer)
        assert make.write_record()["model"]["saliency"] == inferer.describe()["saliency"]
        assert bool(caplog.messages) == warned
    assert "t.json: tuned for heatmaps by cam, and these are by gradcam of layer4" in caplog.text


def test_top_right_in_every_file(tmp_path):
    make = make_writer(tmp_path)
    make.write_item(localized(save_image(tmp_path / "in" / "a.png")))
    record = make.write_record()
    assert names(tmp_path / "out") == ["a_Mass.nii.gz", "a_heatmap.npz", "a_overlay.png", "findings.json"]

    (image,) = record["images"]
    assert image["files"] == {
        "heatmap": "a_heatmap.npz",
        "overlay": "a_overlay.png",
        "masks": {"Mass": "a_Mass.nii.gz"},
    }
    x0, y0, x1, y1 = image["findings"][0]["boxes"][0]["box"]
    assert (x1, y0) == (90, 0)
    assert x0 > 60
    assert y1 < 20

    mask = itk.imread(str(tmp_path / "out" / "a_Mass.nii.gz"))
    assert list(itk.size(mask)) == [90, 60]
    inside = mask.TransformPhysicalPointToIndex([88.0, 2.0])
    assert mask.GetPixel(inside) == 1
    assert mask.GetPixel(mask.TransformPhysicalPointToIndex([2.0, 57.0])) == 0

    heat = load_heatmap(tmp_path / "out" / "a_heatmap.npz")
    x, y = np.unravel_index(heat.heatmap[0].argmax(), (32, 32))
    assert x >= 28
    assert y < 4
    assert heat.size == (90, 60)
    assert heat.source == str(tmp_path / "in" / "a.png")


def test_overlay_is_coloured_at_the_top_right_only(tmp_path):
    make = make_writer(tmp_path)
    make.write_item(localized(save_image(tmp_path / "in" / "a.png")))
    sheet = np.asarray(Image.open(tmp_path / "out" / "a_overlay.png"), int)
    picture = sheet[:, :758]
    rows, columns = np.nonzero(np.abs(picture - class_colour(0)).max(-1) < 12)
    height = 742 * 60 / 90
    assert len(rows) > 100
    assert columns.min() > 16 + 742 * 0.6
    assert rows.max() < 46 + height * 0.45


def test_same_names_in_different_folders_and_suffixes_stay_apart(tmp_path):
    make = make_writer(tmp_path)
    paths = [tmp_path / "in" / name for name in ("x/a.png", "y/a.png", "x__a.png", "x/a.tif")]
    for path in paths:
        make.write_item(localized(save_image(path)))
    record = make.write_record()
    cases = [image["case"] for image in record["images"]]
    assert len(set(cases)) == 4
    assert cases[:2] == ["x__a", "y__a"]
    sources = {load_heatmap(tmp_path / "out" / f"{case}_heatmap.npz").source for case in cases}
    assert sources == {str(path) for path in paths}


def test_a_second_run_replaces_its_own_files_only(tmp_path):
    a, b = (save_image(tmp_path / "in" / name) for name in ("a.png", "b.png"))
    first = make_writer(tmp_path)
    first.write_item(localized(a))
    first.write_item(localized(b))
    second = make_writer(tmp_path)
    second.write_item(localized(a, spots={1: (3, 3)}))
    assert names(tmp_path / "out") == [
        "a_Pleural-effusion.nii.gz",
        "a_heatmap.npz",
        "a_overlay.png",
        "b_Mass.nii.gz",
        "b_heatmap.npz",
        "b_overlay.png",
    ]


@pytest.mark.parametrize(
    ("module", "what"), [(mask_files, "save_mask"), (heatmap_npz, "save_heatmap"), (overlay, "render_overlay")]
)
def test_a_failure_mid_write_leaves_nothing_of_that_image(tmp_path, monkeypatch, module, what):
    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, what, fail)
    make = make_writer(tmp_path)
    (tmp_path / "out").mkdir()
    make.write_item(localized(save_image(tmp_path / "in" / "a.png")))
    assert names(tmp_path / "out") == []
    record = make.write_record()
    assert record["images"] == []
    assert "No space left" in record["failures"][0]["reason"]
    assert "check space" in record["failures"][0]["action"]


@pytest.mark.fault("the disk is full while results are written", "one line says so; older results stay whole")
def test_a_full_disk_keeps_older_results(tmp_path, monkeypatch):
    path = save_image(tmp_path / "in" / "a.png")
    make_writer(tmp_path).write_item(localized(path))
    before = {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")}

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(heatmap_npz, "save_heatmap", fail)
    make = make_writer(tmp_path)
    make.write_item(localized(path, spots={1: (3, 3)}))
    assert "No space left" in make.write_record()["failures"][0]["reason"]
    assert {name: (tmp_path / "out" / name).read_bytes() for name in before} == before


def full_disk(monkeypatch, *full):
    """From now on no heatmap of the images named so can be written, and every other file can."""
    save = heatmap_npz.save_heatmap

    def fail(path, *args, **kwargs):
        if str(path).rpartition("/")[2].startswith(full):
            raise OSError(28, "No space left on device")
        return save(path, *args, **kwargs)

    monkeypatch.setattr(heatmap_npz, "save_heatmap", fail)


@pytest.mark.fault("the output folder cannot be written", "one line says so; all stays as it was")
def test_a_rerun_that_can_write_nothing_leaves_all_as_it_was(tmp_path, monkeypatch, capsys):
    """Small files may still fit on a full disk: findings.json must not say that there are no findings."""
    a, b = (save_image(tmp_path / "in" / name) for name in ("a.png", "b.png"))
    first = make_writer(tmp_path)
    for path in (a, b):
        first.write_item(localized(path))
    first.write_record()
    before = {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")}

    full_disk(monkeypatch, "a", "b")
    again = make_writer(tmp_path)
    again.write_item(localized(a, spots={1: (3, 3)}))
    again.images.fail(str(b), "the file is damaged", "copy it again")
    with pytest.raises(SystemExit) as stop:
        again.finish()
    assert stop.value.code == 1
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")} == before
    said = capsys.readouterr()
    assert "a.png: results cannot be written (No space left on device)" in said.out
    assert "error: no results could be written; those of earlier runs are as they were" in said.err


@pytest.mark.parametrize("same_model", [True, False])
def test_a_disk_that_fills_up_keeps_older_records_of_the_same_model(tmp_path, monkeypatch, same_model):
    a, b = (save_image(tmp_path / "in" / name) for name in ("a.png", "b.png"))
    first = make_writer(tmp_path)
    for path in (a, b):
        first.write_item(localized(path))
    older = first.write_record()["images"][1]

    full_disk(monkeypatch, "b")
    again = make_writer(tmp_path) if same_model else make_writer(tmp_path, labels=("Mass", "Nodule"))
    for path in (a, b):
        again.write_item(localized(path, labels=again.thresholds.labels))
    again.write_record()
    record = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))
    assert [image["path"] for image in record["images"]] == (["a.png", "b.png"] if same_model else ["a.png"])
    assert [failure["path"] for failure in record["failures"]] == ["b.png"]
    assert record["summary"] == {"images": 1, "failures": 1}
    if same_model:
        kept = record["images"][1]
        assert kept["findings"] == older["findings"]
        assert kept["warnings"][-1] == "these are results of an earlier run: the new ones could not be written"
    assert (tmp_path / "out" / older["files"]["heatmap"]).is_file()


@pytest.mark.parametrize("whole", [True, False])
def test_results_removed_in_the_middle_are_failures(tmp_path, capsys, whole):
    a, b = (save_image(tmp_path / "in" / name) for name in ("a.png", "b.png"))
    make = make_writer(tmp_path)
    make.write_item(localized(a))
    if whole:
        shutil.rmtree(tmp_path / "out")
    else:
        (tmp_path / "out" / "a_Mass.nii.gz").unlink()
    make.write_item(localized(b))
    with pytest.raises(SystemExit) as stop:
        make.finish()
    assert stop.value.code == 1
    record = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert [image["path"] for image in record["images"]] == ["b.png"]
    assert [failure["path"] for failure in record["failures"]] == ["a.png"]
    assert "a.png: its results were removed" in capsys.readouterr().out


def test_an_unwritable_folder_is_noticed_before_the_first_image(tmp_path):
    (tmp_path / "out").write_text("a file")
    reached = []
    engine, make = Engine(lambda _engine, batch: reached.append(batch) or []), make_writer(tmp_path)
    make.attach(engine)
    with pytest.raises(InputError, match="results cannot be written here"):
        engine.run([[1]])
    assert reached == []


@pytest.mark.fault("two runs write into one folder", "the second is refused, or each keeps its own files")
def test_two_runs_at_once_do_not_meet(tmp_path):
    path = save_image(tmp_path / "in" / "a.png")
    second = Engine(lambda _engine, _batch: [])
    make_writer(tmp_path).attach(second)

    def step(_engine, _batch):
        with pytest.raises(InputError, match="another run"):
            second.run([[1]])
        return [localized(path)]

    engine, make = Engine(step), make_writer(tmp_path)
    make.attach(engine)
    engine.run([[1]])
    assert [image["path"] for image in make.write_record()["images"]] == ["a.png"]
    second.run([[1]])  # its turn


def test_results_among_the_radiographs_are_refused(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="among the radiographs"):
        make_writer(tmp_path, input_dir=tmp_path / "in" / ".." / "out")


def test_an_image_that_changes_between_reading_and_drawing(tmp_path):
    path = save_image(tmp_path / "in" / "a.png")
    item = localized(path)
    save_image(path, (70, 60))
    make = make_writer(tmp_path)
    make.write_item(item)
    assert "changed while it was used" in make.write_record()["failures"][0]["reason"]


def test_hostile_names_forge_no_line(tmp_path, capsys):
    path = save_image(tmp_path / "in" / "a\nerror: all is well\x1b[2J.png")
    make = make_writer(
        tmp_path,
        loader=SimpleNamespace(failures=[SimpleNamespace(path=str(path), reason="bad\n\x1b[31m", action="mend")]),
    )
    with pytest.raises(SystemExit):
        make.finish()
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line.startswith("error")]
    assert json.loads((tmp_path / "out" / "findings.json").read_text())["failures"][0]["path"] == path.name


def test_an_image_that_fails_now_keeps_no_files_of_an_earlier_run(tmp_path):
    path = save_image(tmp_path / "in" / "a.png")
    make_writer(tmp_path).write_item(localized(path))
    loader = SimpleNamespace(failures=[SimpleNamespace(path=str(path), reason="damaged", action="restore it")])
    record = make_writer(tmp_path, loader=loader).write_record()
    assert record["failures"] == [{"path": "a.png", "reason": "damaged", "action": "restore it"}]
    assert names(tmp_path / "out") == ["findings.json"]


def test_exit_status_says_whether_an_image_failed(tmp_path, capsys):
    make = make_writer(tmp_path)
    make.write_item(localized(save_image(tmp_path / "in" / "a.png")))
    make.finish()
    assert "1 image(s) done, 0 failed" in capsys.readouterr().out
    make.write_item({"findings": {"failure": {"path": "b.png", "reason": "odd", "action": "mend it"}}})
    with pytest.raises(SystemExit) as stop:
        make.finish()
    assert stop.value.code == 1
    assert "b.png: odd; mend it" in capsys.readouterr().out


def test_a_network_that_stops_ends_with_a_status_of_its_own(tmp_path, capsys):
    """Status 1 is of single images; who goes on with results must not take half of them for all."""
    batches = [[str(save_image(tmp_path / "in" / f"{name}.png"))] for name in "ab"]

    def infer(engine, batch):
        if batch == batches[1]:
            raise RuntimeError("CUDA out of memory")
        return [localized(path) for path in batch]

    make, engine = make_writer(tmp_path), Engine(infer)
    make.attach(engine)
    engine.run(batches)
    with pytest.raises(SystemExit) as stop:
        make.finish()
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert "1 image(s) done" in out
    assert err.startswith("error: inference stopped here (RuntimeError: CUDA out of memory)")


def test_record_is_strict_json(tmp_path):
    make = make_writer(tmp_path)
    item = localized(save_image(tmp_path / "in" / "ä b.png"))
    item["findings"]["odd"] = [float("nan"), float("inf"), 1.5]
    make.write_item(item)
    make.write_record()

    def refuse(constant):
        raise AssertionError(constant)

    text = (tmp_path / "out" / "findings.json").read_text(encoding="utf-8")
    record = json.loads(text, parse_constant=refuse)
    (image,) = record["images"]
    assert image["odd"] == [None, None, 1.5]
    assert image["path"] == "ä b.png"
    assert record["schema_version"] == "1.0"
    assert record["summary"] == {"images": 1, "failures": 0}
    assert [f["label"] for f in image["findings"]] == list(LABELS)
    assert not list((tmp_path / "out").glob(".*"))


def test_handler_writes_each_batch_and_records_a_crash(tmp_path):
    paths = [save_image(tmp_path / "in" / f"{i}.png") for i in range(3)]

    def step(_engine, batch):
        if batch["name"] == str(paths[1]):
            raise RuntimeError("out of memory")
        return [localized(batch["name"])]

    engine, make = Engine(step), make_writer(tmp_path)
    make.attach(engine)
    engine.run([{"name": str(path)} for path in paths])
    record = make.write_record()
    assert [image["path"] for image in record["images"]] == ["0.png"]
    assert "out of memory" in record["failures"][0]["reason"]


def test_classes_that_give_one_file_name_are_refused(tmp_path):
    with pytest.raises(InputError, match="same file name"):
        make_writer(tmp_path, labels=("Mass a", "mass-a"))


def test_only_what_is_chosen_is_written_in_the_order_of_the_choice(tmp_path):
    a = save_image(tmp_path / "in" / "a.png")
    make = make_writer(tmp_path, outputs=["nifti", "json", "mask_png"])
    make.write_item(localized(a))
    (image,) = make.write_record()["images"]
    assert list(image["files"]) == ["masks", "masks_png"]
    assert names(tmp_path / "out") == ["a_Mass.nii.gz", "a_Mass.png", "findings.json"]


def test_a_run_of_fewer_outputs_leaves_none_of_an_earlier_run_beside_its_own(tmp_path):
    a, b = (save_image(tmp_path / "in" / name) for name in ("a.png", "b.png"))
    first = make_writer(tmp_path, outputs=["json", "npz", "png", "nifti", "mask_png"])
    first.write_item(localized(a))
    first.write_item(localized(b))
    first.write_record()
    (tmp_path / "out" / "a_note.txt").write_text("of the user")
    second = make_writer(tmp_path, outputs=["json", "png"])
    second.write_item(localized(a))
    assert [name for name in names(tmp_path / "out") if name.startswith("a")] == ["a_note.txt", "a_overlay.png"]
    assert len([name for name in names(tmp_path / "out") if name.startswith("b")]) == 4


class Sizes(CaseWriter):
    """One text file for each image wider than high."""

    kind = "sizes"

    def names(self, case, labels):
        return [f"{case}_size.txt"]

    def write(self, case, folder):
        width, height = case.size
        if width <= height:
            raise NotForThisImageError("it is not wide, so it has no size file")
        (folder / f"{case.name}_size.txt").write_text(
            f"{case.source} {width} {height} {[f.label for f in case.present]}"
        )
        return f"{case.name}_size.txt"


def test_a_writer_of_ones_own_gets_the_case(tmp_path):
    path = save_image(tmp_path / "in" / "a.png")
    options = {"outputs": ["json", "sizes"], "own_outputs": {"sizes": Sizes()}}
    make = make_writer(tmp_path, **options)
    make.write_item(localized(path, spots={1: (3, 3), 0: TOP_RIGHT}))
    (image,) = make.write_record()["images"]
    assert image["files"] == {"sizes": "a_size.txt"}
    assert (tmp_path / "out" / "a_size.txt").read_text() == f"{path} 90 60 ['Mass', 'Pleural effusion']"
    loader = SimpleNamespace(failures=[SimpleNamespace(path=str(path), reason="damaged", action="restore it")])
    make_writer(tmp_path, **options, loader=loader).write_record()
    assert names(tmp_path / "out") == ["findings.json"]


def test_an_image_that_an_output_is_not_for_has_the_others_and_a_warning(tmp_path):
    path = save_image(tmp_path / "in" / "a.png", size=(60, 90))
    make = make_writer(tmp_path, outputs=["json", "sizes", "png"], own_outputs={"sizes": Sizes()})
    make.write_item(localized(path))
    record = make.write_record()
    assert record["failures"] == []
    assert record["images"][0]["files"] == {"overlay": "a_overlay.png"}
    assert record["images"][0]["warnings"][-1] == "it is not wide, so it has no size file"


def test_findings_of_other_classes_are_a_failure(tmp_path):
    make = make_writer(tmp_path)
    make.write_item(localized(save_image(tmp_path / "in" / "a.png"), labels=("Mass", "Nodule")))
    record = make.write_record()
    assert record["images"] == []
    assert "not of the model's classes" in record["failures"][0]["reason"]
