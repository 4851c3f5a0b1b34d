"""A whole run, its steps one after another in this process instead of by Ray."""

from __future__ import annotations

import shutil
from contextlib import nullcontext

import pytest

pytest.importorskip("ray", reason="needs the extra ray")
import pyarrow.parquet as pq

from cxr_tools.archive import engine, worker
from cxr_tools.archive.__main__ import main


@pytest.fixture(autouse=True)
def _in_turn(monkeypatch):
    def results(job, parts, batch, networks, cores):
        for number, part in enumerate(parts):
            for state in worker.predict(job, [worker.read(job, image) for image in part.images], "cpu"):
                yield number, worker.conclude(job, state)

    monkeypatch.setattr(engine, "connected", lambda address: nullcontext())
    monkeypatch.setattr(engine, "results", results)
    monkeypatch.setattr(engine, "dates", lambda job, images: [(image, job.source.date(image)) for image in images])


def run(radiographs, output, *options):
    return main(["run", "--input", str(radiographs), "--output", str(output), *options])


def rows(output):
    """All rows; one image has one."""
    found = [row for file in output.glob("results/*/*.parquet") for row in pq.ParquetFile(file).read().to_pylist()]
    assert len({row["image"] for row in found}) == len(found)
    return sorted(found, key=lambda row: row["image"])


def times(output):
    return {file: file.stat().st_mtime_ns for file in output.glob("results/*/*.parquet")}


def test_each_image_has_a_row_and_a_second_run_does_nothing(radiographs, tmp_path, capsys):
    assert run(radiographs, tmp_path, "--rows", "2") == 1
    said = capsys.readouterr().out
    assert "6 image(s) to do, 0 done before" in said and "6 image(s) done, 1 of them with an error" in said
    assert [row["image"] for row in rows(tmp_path)] == sorted(str(path) for path in radiographs.iterdir())
    assert [row["error"] is None for row in rows(tmp_path)] == [True] * 5 + [False]
    before = times(tmp_path)
    assert len(before) > 2
    assert run(radiographs, tmp_path, "--rows", "2") == 0
    assert "0 image(s) to do, 6 done before" in capsys.readouterr().out
    assert times(tmp_path) == before


def test_nobody_is_named_but_on_demand(radiographs, tmp_path, capsys):
    shutil.copytree(radiographs, tmp_path / "PLANTED")
    for options, named in (((), False), (("--show-identity",), True)):
        output = tmp_path / f"out{named}"
        run(tmp_path / "PLANTED", output, "--files", "png,dicom_sr", "--files-of", "all", *options)
        said = "".join(capsys.readouterr())
        assert ("PLANTED" in said) == named
        names = [path.relative_to(output).as_posix() for path in output.rglob("*")]
        assert len(names) > 10 and not any("PLANTED" in name for name in names)


def test_a_run_that_cannot_go_on_keeps_what_is_done(radiographs, tmp_path, monkeypatch, capsys):
    def away(job, image):
        return {"image": image, "later": "the PACS cannot be reached"} if image.endswith("3.dcm") else read(job, image)

    read = worker.read
    monkeypatch.setattr(worker, "read", away)
    assert run(radiographs, tmp_path) == 1
    assert "error: the PACS cannot be reached; mend this, and run again" in capsys.readouterr().err
    done = len(rows(tmp_path))
    assert done < 6
    monkeypatch.setattr(worker, "read", read)
    run(radiographs, tmp_path)
    assert f"{6 - done} image(s) to do, {done} done before" in capsys.readouterr().out
    assert len(rows(tmp_path)) == 6


def test_new_images_are_added_and_errors_tried_again(radiographs, tmp_path, capsys):
    images, output = tmp_path / "images", tmp_path / "out"
    images.mkdir()
    for name in ("0.dcm", "broken.dcm"):
        shutil.copy(radiographs / name, images / name)
    run(images, output)
    shutil.copy(radiographs / "1.dcm", images / "1.dcm")
    shutil.copy(radiographs / "2.dcm", images / "broken.dcm")
    assert run(images, output) == 0
    assert "1 image(s) to do, 2 done before" in capsys.readouterr().out
    assert rows(output)[2]["error"]
    assert run(images, output, "--retry") == 0
    assert "1 image(s) to do, 2 done before, 1 tried again" in capsys.readouterr().out
    assert [row["error"] for row in rows(output)] == [None, None, None]


def test_a_day_has_a_folder(radiographs, tmp_path):
    run(radiographs, tmp_path, "--partition", "date")
    days = {file.parent.name: pq.ParquetFile(file).metadata.num_rows for file in times(tmp_path)}
    assert days == {
        **{f"date=2026-{day}": 1 for day in ("02-28", "03-31", "04-01")},
        "date=2026-03-01": 2,
        "date=__HIVE_DEFAULT_PARTITION__": 1,
    }


def test_other_results_are_not_mixed_with_these(radiographs, tmp_path, capsys):
    run(radiographs / "0.dcm", tmp_path)
    assert run(radiographs / "0.dcm", tmp_path, "--bundle", "cxr_pylon_localization") == 1
    assert "has results of another run (model, thresholds)" in capsys.readouterr().err
    assert run(radiographs / "0.dcm", tmp_path, "--batch_size", "4") == 0  # which changes none
    assert run(radiographs / "0.dcm", tmp_path, "--spatial_size", "[64, 64]") == 1
    assert "has results of another run (options)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rows", "0"], "--rows: is 0"),
        (["--networks", "-1"], "--networks: is -1"),
        (["--files-of", "half"], "--files-of: is 'half'"),
        (["--files-of", "1.5"], "--files-of: is '1.5'"),
        (["--files", "pictures"], "there is no output pictures"),
        (["--output_dir", "x"], "--output_dir: has no meaning here"),
        (["--no_such_option", "1"], "there is no such entry"),
        (["--bundle", "no_such_bundle"], "there is no such bundle"),
        (["--device", "cpu"], "--device: has no meaning here"),
        (["--date", "20260301"], "--date: is for a PACS, and --input is none"),
        (["--modality", "DX"], "--modality: is for a PACS"),
        (["--weights", ""], "weights: is empty"),
        (["--thresholds", "x"], "no attribute 'input_size'"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(radiographs, tmp_path, capsys, options, said):
    assert run(radiographs, tmp_path / "out", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and said in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_results_are_no_images(radiographs, tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(radiographs / "1.dcm", images)
    assert run(images, images) == 1
    assert "results would lie among the radiographs" in capsys.readouterr().err
    for output in ("first", "second"):
        assert run(images, images / output, "--files", "png", "--files-of", "all") == 0
        assert len(rows(images / output)) == 1


def test_input_that_is_not_there_is_refused(tmp_path, capsys):
    assert run("", tmp_path / "out") == 1
    assert "--input: is empty" in capsys.readouterr().err
    assert run(tmp_path / "none", tmp_path / "out") == 1
    assert "there is no such file or folder" in capsys.readouterr().err
    assert run("https://pacs.example/dicom-web", tmp_path / "out", "--date", "today") == 1
    assert "--date: is not a date" in capsys.readouterr().err
