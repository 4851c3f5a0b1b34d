"""Batches go on past bad files, in this process and in workers, inside an evaluator too."""

import logging
import warnings

import numpy as np
import pytest
import torch
from monai.data import Dataset
from monai.engines import SupervisedEvaluator
from monai.inferers import SimpleInferer
from monai.transforms import Compose, Lambdad, Resized
from PIL import Image

from cxr_common.data import Failure, RadiographLoader, RadiographReader, RadiographWarning, find_radiographs
from cxr_common.data.loader import failure_from
from cxr_common.errors import InputError
from cxr_common.transforms import LoadRadiographd
from tests.damaged import KINDS, write_damaged_corpus, write_good_files
from tests.image_files import marker_picture, write_dicom

pytestmark = pytest.mark.filterwarnings("ignore:builtin type")  # SWIG's, at the import of ITK


def preprocessing(*more) -> Compose:
    return Compose([LoadRadiographd("image"), *more, Resized("image", (32, 32), mode="area")])


def paths_of(batches) -> list[str]:
    return [path for batch in batches for path in batch["image"].meta["filename_or_obj"]]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixed")
    good = write_good_files(folder, 5)
    bad = write_damaged_corpus(folder, 22)
    return find_radiographs(folder), {str(p) for p in good}, {str(p) for p, _ in bad}


@pytest.mark.parametrize(("batch_size", "num_workers"), [(1, 0), (3, 0), (4, 2)])
def test_the_good_are_loaded_and_the_bad_are_listed(mixed, batch_size, num_workers, capfd):
    records, good, bad = mixed
    loader = RadiographLoader(Dataset(records, preprocessing()), batch_size, num_workers)
    for _ in range(2):  # a second pass starts anew
        batches = list(loader)
        assert sorted(paths_of(batches)) == sorted(good)
        assert [f.path for f in loader.failures] == [r["image"] for r in records if r["image"] in bad]
        assert all(f.reason and f.action and "\n" not in str(f) for f in loader.failures)
        assert all(b["image"].shape[1:] == (1, 32, 32) and len(b["image"]) <= batch_size for b in batches)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("which", ["mixed", "none good", "all good"])
@pytest.mark.parametrize(("batch_size", "num_workers"), [(1, 0), (4, 2)])
def test_in_an_evaluator(mixed, which, batch_size, num_workers):
    records, good, bad = mixed
    chosen = {"mixed": good | bad, "none good": bad, "all good": good}[which]
    records = [r for r in records if r["image"] in chosen]
    loader = RadiographLoader(Dataset(records, preprocessing()), batch_size, num_workers)
    done = []
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=loader,
        network=torch.nn.Conv2d(1, 2, 1),
        inferer=SimpleInferer(),
        postprocessing=lambda d: done.append(d["image"].meta["filename_or_obj"]) or d,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # ignite warns where a loader ends early
        evaluator.run()
    assert sorted(done) == sorted(good & chosen)
    assert len(loader.failures) == len(bad & chosen)


@pytest.mark.parametrize("seed", [0, 1])
def test_two_hundred_damaged_inputs(tmp_path, seed, capfd):
    written = write_damaged_corpus(tmp_path, 200, seed)
    assert len({kind for _, kind in written}) == len(KINDS) >= 15
    good = write_good_files(tmp_path, 10)
    loader = RadiographLoader(Dataset(find_radiographs(tmp_path), preprocessing()))
    assert sorted(paths_of(loader)) == sorted(map(str, good))
    listed = {f.path for f in loader.failures}
    assert {kind for path, kind in written if str(path) not in listed} == set()
    assert not [f for f in loader.failures if "report this as a defect" in f.action]
    assert capfd.readouterr() == ("", "")


def test_the_corpus_is_the_same_for_the_same_seed(tmp_path):
    first = write_damaged_corpus(tmp_path / "a", 44, 3)
    second = write_damaged_corpus(tmp_path / "b", 44, 3)
    assert [(p.name, k) for p, k in first] == [(p.name, k) for p, k in second]


def explode(_):
    raise ZeroDivisionError("a codec's\ntwo lines")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_unexpected_exception_is_a_failure_too(tmp_path, num_workers, caplog):
    Image.fromarray(marker_picture()).save(tmp_path / "a.png")
    dataset = Dataset(find_radiographs(tmp_path), preprocessing(Lambdad("image", explode)))
    loader = RadiographLoader(dataset, num_workers=num_workers)
    with caplog.at_level(logging.INFO):
        assert list(loader) == []
    (failure,) = loader.failures
    assert failure.path == str(tmp_path / "a.png")
    assert failure.reason == "the file could not be processed (ZeroDivisionError: a codec's)"
    assert "defect" in failure.action
    assert "Traceback" not in caplog.text


def test_a_wrapped_error_is_found():
    try:
        try:
            raise InputError("the reason", "file.dcm", "the action")
        except InputError as error:
            raise RuntimeError("applying transform <object>") from error
    except RuntimeError as error:
        assert failure_from(error, "file.dcm") == Failure("file.dcm", "the reason", "the action")
    assert "memory" in failure_from(MemoryError(), "f").reason


def test_causes_in_a_circle_come_to_an_end():
    first, second = ValueError("the first"), ValueError("the second")
    first.__cause__, second.__cause__ = second, first
    assert "ValueError: the second" in failure_from(first, "file.dcm").reason
    first.__cause__ = first
    assert "ValueError: the first" in failure_from(first, "file.dcm").reason


def test_doubtful_files_keep_their_warnings_to_themselves(tmp_path):
    write_dicom(tmp_path / "a.dcm", marker_picture(), PixelSpacing=[0, 0])
    loader = RadiographLoader(Dataset(find_radiographs(tmp_path), preprocessing()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (batch,) = list(loader)
    assert "PixelSpacing of 0 x 0" in batch["image"].meta["warnings"][0]
    reader = RadiographReader()
    with pytest.warns(RadiographWarning, match="a.dcm: PixelSpacing of 0 x 0"):
        reader.get_data(reader.read(tmp_path / "a.dcm"))


def test_meta_of_different_formats_collates_and_comes_apart(mixed):
    from monai.data import decollate_batch

    records, good, _ = mixed
    records = [r for r in records if r["image"] in good]
    (batch,) = RadiographLoader(Dataset(records, preprocessing()), batch_size=5)
    images = decollate_batch(batch)
    singly = [d["image"].meta for d in Dataset(records, preprocessing())]
    assert len(images) == 5
    for image, alone in zip(images, singly, strict=True):
        meta = image["image"].meta
        assert meta.keys() == alone.keys()
        for key in ("filename_or_obj", "file_format", "spacing_source", "stored_axes", "intensity_source", "warnings"):
            assert meta[key] == alone[key]
        np.testing.assert_array_equal(meta["spatial_shape"], alone["spatial_shape"])
        np.testing.assert_array_equal(np.asarray(meta["spacing"]), alone["spacing"])


@pytest.mark.parametrize("size", [1, 2])
def test_a_datalists_masks_do_not_stop_a_batch(tmp_path, size):
    for name in "ab":
        Image.fromarray(marker_picture()).save(tmp_path / f"{name}.png")
    masks = [{"Pneumothorax": None}, {"Pneumothorax": "mask.png"}]
    items = [{"image": str(tmp_path / f"{name}.png"), "mask": mask} for name, mask in zip("ab", masks)]
    loader = RadiographLoader(Dataset(items, preprocessing()), batch_size=size)
    assert len(paths_of(loader)) == 2 and not loader.failures


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_are_filled_past_images_that_fail(tmp_path, num_workers):
    for name in "abdeg":
        Image.fromarray(marker_picture()).save(tmp_path / f"{name}.png")
    for name in "cf":
        (tmp_path / f"{name}.png").write_text("no picture")
    loader = RadiographLoader(Dataset(find_radiographs(tmp_path), preprocessing()), 2, num_workers)
    loader.keep_pictures, seen = True, []
    for batch in loader:
        paths = batch["image"].meta["filename_or_obj"]
        assert list(loader.pictures) == paths  # of this batch and no other
        assert all(np.array_equal(loader.pictures[path], marker_picture().T) for path in paths)
        seen.append("".join(path[-5] for path in paths))
    assert seen == ["ab", "de", "g"]
    assert loader.pictures == {}


def test_what_is_done_is_left_out(tmp_path):
    for name in "abc":
        Image.fromarray(marker_picture()).save(tmp_path / f"{name}.png")
    loader = RadiographLoader(Dataset(find_radiographs(tmp_path), preprocessing()), 2)
    loader.done = {str(tmp_path / "b.png")}
    assert loader.remaining == [0, 2]
    assert [path[-5] for path in paths_of(loader)] == ["a", "c"]
    assert loader.pictures == {}
