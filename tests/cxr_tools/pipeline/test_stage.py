from __future__ import annotations

import sys

import pytest

from cxr_common.errors import InputError
from cxr_common.findings.run_folder import RunFolder
from cxr_tools.pipeline.stage import Stage
from cxr_tools.workflow import last_line


class Fake(Stage):
    """A stage whose command appends a line to a file instead of running a bundle."""

    def command(self):
        code = f"open(r'{self.output / 'ran.txt'}', 'a').write('x'); print('error: too few', flush=True); "
        return [sys.executable, "-c", code + f"raise SystemExit({self.overrides.get('status', 0)})"]


def stage(folder, **options):
    settings = {"overrides": {"batch_size": 2}, "inputs": {"data": "1"}, **options}
    return Fake("heatmaps", "cxr_pylon_localization", ("inference.json",), output=folder / "out", **settings)


def test_it_runs_once_while_nothing_changes(tmp_path):
    assert stage(tmp_path).run()
    assert not stage(tmp_path).run()
    assert (tmp_path / "out" / "ran.txt").read_text() == "x"


@pytest.mark.parametrize("change", [{"overrides": {"batch_size": 3}}, {"inputs": {"data": "2"}}])
def test_it_starts_anew_when_overrides_or_inputs_change(tmp_path, change):
    stage(tmp_path).run()
    assert stage(tmp_path, **change).run()
    assert (tmp_path / "out" / "ran.txt").read_text() == "x"  # of a fresh folder


def test_a_folder_that_a_run_still_writes_to_is_not_removed(tmp_path):
    stage(tmp_path).run()
    alive = RunFolder(tmp_path / "out")  # what a pipeline that was killed alone leaves behind
    alive.claim()
    with pytest.raises(InputError, match="another run writes into this folder"):
        stage(tmp_path, inputs={"data": "2"}).run()
    assert (tmp_path / "out" / "ran.txt").is_file()
    alive.release()
    assert stage(tmp_path, inputs={"data": "2"}).run()


def test_one_that_was_killed_goes_on_in_its_folder(tmp_path):
    stage(tmp_path).run()
    (tmp_path / "out" / "stage.json").unlink()
    assert stage(tmp_path).run()
    assert (tmp_path / "out" / "ran.txt").read_text() == "xx"


def test_a_failure_names_log_and_reason_and_is_not_done(tmp_path):
    failing = stage(tmp_path, overrides={"status": 3})
    with pytest.raises(InputError, match="too few"):
        failing.run()
    assert not failing.is_done()
    assert failing.run(accept=(3,))


def test_without_an_error_line_the_exception_is_named(tmp_path):
    class Raising(Fake):
        def command(self):
            lines = ["ValueError: a grid is too small", "The above exception ...", "RuntimeError: Failed to evaluate x"]
            return [sys.executable, "-c", f"print({chr(10).join(lines)!r}, flush=True); raise SystemExit(1)"]

    with pytest.raises(InputError, match="a grid is too small"):
        Raising("train", "cxr_pylon_localization", ("train.yaml",), {}, tmp_path / "out").run()


def test_the_reason_is_that_of_this_attempt(tmp_path):
    with pytest.raises(InputError, match="too few"):
        stage(tmp_path, overrides={"status": 3}).run()

    class OutOfMemory(Fake):
        def command(self):
            line = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"
            return [sys.executable, "-c", f"print({line!r}, flush=True); raise SystemExit(1)"]

    first = stage(tmp_path, overrides={"status": 3})
    again = OutOfMemory(first.name, first.bundle, first.configs, first.overrides, first.output, first.inputs)
    with pytest.raises(InputError, match="CUDA out of memory"):
        again.run()


def test_the_command_is_the_bundle_run_or_torchrun(tmp_path):
    one = Stage("train", "cxr_pylon_localization", ("train.yaml",), {}, tmp_path)
    assert one.command()[1:4] == ["-m", "monai.bundle", "run"]
    two = Stage("train", "cxr_pylon_localization", ("train.yaml",), {}, tmp_path, processes=2)
    assert "torch.distributed.run" in two.command()
    assert "multi_gpu_train.yaml" in " ".join(two.command())
    assert one.key() != two.key()


def test_inference_goes_on_after_the_images_that_a_killed_run_has_noted(tmp_path):
    command = Stage("heatmaps", "cxr_pylon_localization", ("inference.json",), {}, tmp_path).command()
    assert command[command.index("--resume") + 1] == "True"
    assert "--resume" not in Stage("train", "cxr_pylon_localization", ("train.yaml",), {}, tmp_path).command()


def test_last_line_is_what_a_progress_bar_shows(tmp_path):
    (tmp_path / "log").write_bytes(b"start\ntrain: 1/3\rtrain: 2/3")
    assert last_line(tmp_path / "log") == "train: 2/3"
