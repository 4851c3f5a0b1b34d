"""A loader, an engine and a FindingsWriter together: threads, pictures that are kept, runs that are killed."""

from __future__ import annotations

import json
import os

import pytest
import torch
from ignite.engine import Engine
from monai.data import Dataset, decollate_batch
from monai.transforms import Compose, Resized

from cxr_common.data import RadiographLoader, find_radiographs, reader
from cxr_common.data import read_picture as read_again
from cxr_common.findings import FindingsWriter, RunWriter, Thresholds, record_lines
from cxr_common.transforms import LoadRadiographd, LocalizeFindingsd
from tests.cxr_common.findings.test_findings_writer import LABELS, TOP_RIGHT, save_image


class Seen(RunWriter):
    """Keeps what no record has."""

    file = "seen.json"

    def __init__(self):
        self.seen = {}

    def add(self, case):
        self.restore(case.name, list(case.size))
        return list(case.size)

    def restore(self, case, note):
        self.seen[case] = note

    def write(self, record, folder):
        (folder / self.file).write_text(json.dumps([self.seen[image["case"]] for image in record["images"]]))


class Killed(BaseException):
    """Ends a run as a signal does: nothing of ours catches it."""


def run(folder, output="out", stop_at=None, batch_size=2, **options):
    """A run over a folder; with `stop_at`, it ends when that many images went through the network."""
    load = Compose([LoadRadiographd("image"), Resized("image", (32, 32), mode="area")])
    loader = RadiographLoader(Dataset(find_radiographs(folder / "in"), load), batch_size=batch_size)
    find, through = LocalizeFindingsd(thresholds=Thresholds.default(LABELS)), []

    def step(_engine, batch):
        images = decollate_batch(batch)
        through.extend(image["image"].meta["filename_or_obj"] for image in images)
        if stop_at is not None and len(through) > stop_at:
            raise Killed
        logits = torch.full((len(LABELS), 8, 8), -6.0)
        logits[(0, *TOP_RIGHT)] = 4.0
        return [find({**image, "pred": logits}) for image in images]

    options = {"input_dir": folder / "in", "read_picture": read_again, "loader": loader} | options
    writer = FindingsWriter(folder / output, Thresholds.default(LABELS), "bundle", "1.0", **options)
    engine = Engine(step)
    writer.attach(engine)
    try:
        engine.run(loader)
        return writer.write_record(), through
    except Killed:
        writer.pool.finish()
        os.close(writer.folder._lock)
        return None, through


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("x/a", "x__a", "b", "c", "d")):
        save_image(tmp_path / "in" / f"{name}.png", (90 + number, 60))
    (tmp_path / "in" / "b2.png").write_text("no picture")
    return tmp_path


def contents(output):
    made = {path.name: path.read_bytes() for path in output.iterdir()}
    created = json.loads(made["findings.json"])["created"].encode()
    return {name: content.replace(created, b"") for name, content in made.items()}


@pytest.mark.parametrize("writers", [1, 3])
def test_threads_write_what_the_run_itself_writes(folder, writers):
    alone, _ = run(folder, "alone")
    beside, _ = run(folder, "beside", writers=writers)
    assert contents(folder / "beside") == contents(folder / "alone")
    assert alone["images"] == beside["images"] and len(alone["images"]) == 5
    assert [failure["path"] for failure in beside["failures"]] == ["b2.png"]


def test_an_image_is_read_once(folder, monkeypatch):
    read, real = [], reader.RadiographReader.read
    monkeypatch.setattr(reader.RadiographReader, "read", lambda self, data: read.append(str(data)) or real(self, data))
    run(folder, "kept", writers=2)
    assert len(read) == len(set(read)) == 6
    run(folder, "json", outputs=["json", "npz"])
    assert len(read) == 12


def test_what_is_drawn_on_is_what_the_file_shows(folder):
    run(folder, "kept", outputs=["json", "png"])
    run(folder, "again", outputs=["json", "png"], loader=None)
    kept, again = contents(folder / "kept"), contents(folder / "again")
    pictures = [name for name in kept if name.endswith(".png")]
    assert len(pictures) == 5
    assert all(kept[name] == again[name] for name in pictures)


@pytest.mark.fault("a run over images is killed and resumed", "it ends as if it had not been killed")
@pytest.mark.parametrize("writers", [0, 2])
@pytest.mark.parametrize("stop_at", [0, 2, 4])
def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(folder, writers, stop_at):
    outputs = {"outputs": ["json", "png", "seen"], "writers": writers}
    run(folder, "whole", own_outputs={"seen": Seen()}, **outputs)
    before, first = run(folder, stop_at=stop_at, own_outputs={"seen": Seen()}, **outputs)
    assert before is None and not (folder / "out" / "findings.json").exists()
    _, second = run(folder, resume=True, own_outputs={"seen": Seen()}, **outputs)
    assert len(second) == 5 - stop_at and not set(second) & set(first[:stop_at])
    assert contents(folder / "out") == contents(folder / "whole")


def test_what_is_not_resumed_is_done_anew(folder):
    for options in ({}, {"resume": True, "outputs": ["json"]}, {"resume": True, "made_from": {"spatial_size": 64}}):
        run(folder, stop_at=2)
        assert len(run(folder, **options)[1]) == 5


def test_a_journal_that_cannot_grow_is_a_failure_of_that_image(folder, monkeypatch):
    real = record_lines.RecordLines.append

    def append(self, record, source, notes):
        if record["case"] == "c":
            raise OSError(28, "No space left on device")
        real(self, record, source, notes)

    monkeypatch.setattr(record_lines.RecordLines, "append", append)
    record, _ = run(folder, writers=2)
    assert len(record["images"]) == 4
    assert {failure["path"] for failure in record["failures"]} == {"b2.png", "c.png"}
    assert "No space left" in next(f["reason"] for f in record["failures"] if f["path"] == "c.png")
