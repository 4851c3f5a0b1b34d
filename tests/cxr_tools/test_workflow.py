from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cxr_common.errors import InputError
from cxr_tools.workflow import failure_reason, run_tool, run_workflow, workflow_command

BUNDLE, CONFIGS = Path("/b"), [Path("/b/configs/train.yaml"), Path("/run/overrides.yaml")]


def test_command_names_configs_root_and_options():
    command = workflow_command(BUNDLE, CONFIGS, {"output_dir": Path("/out"), "seed": 3})
    assert command[:4] == [sys.executable, "-m", "monai.bundle", "run"]
    assert command[4:6] == ["--config_file", "['/b/configs/train.yaml','/run/overrides.yaml']"]
    assert command[6:] == ["--bundle_root", "/b", "--output_dir", "/out", "--seed", "3"]


def test_several_processes_are_launched_by_torchrun():
    command = workflow_command(BUNDLE, CONFIGS, {}, processes=2)
    assert command[1:6] == ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    assert command[6:9] == ["-m", "monai.bundle", "run"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("start\nerror: a.png: is empty\nmore\n", "a.png: is empty"),
        (
            "RuntimeError: Failed to evaluate x\nValueError: too small\nRuntimeError: Failed to evaluate y\n",
            "ValueError: too small",
        ),
        ("fine\n", None),
    ],
)
def test_reason_is_our_line_or_the_deepest_exception(tmp_path, text, reason):
    log = tmp_path / "log.txt"
    log.write_text("error: of an earlier run\n" + text)
    assert failure_reason(log, start=len("error: of an earlier run\n")) == reason


def test_a_workflow_is_run_to_its_end_with_a_log_and_its_own_environment(tmp_path):
    log, seen = tmp_path / "log.txt", []
    code = "import os, time; print(os.environ['MARK'], flush=True); time.sleep(1.5); print('error: bad'); exit(3)"
    command = [sys.executable, "-c", code]
    assert run_workflow(command, log, environment={"MARK": "a"}, show=seen.append) == (3, "bad")
    assert seen[0] == "a" and seen[-1] == "error: bad"
    assert run_workflow([sys.executable, "-c", "print('ok')"], log, append=True) == (0, None)
    assert log.read_text(encoding="utf-8").split() == ["a", "error:", "bad", "ok"]
    assert run_workflow([sys.executable, "-c", "print('new')"], log) == (0, None)
    assert log.read_text(encoding="utf-8").split() == ["new"]


def test_a_tool_that_fails_is_no_traceback(tmp_path, capfd):
    (tmp_path / "good.json").write_text("{}")
    run_tool("json.tool", tmp_path / "good.json")
    with pytest.raises(InputError, match=r"^python -m json\.tool: failed with exit status \d; see what it says above$"):
        run_tool("json.tool", tmp_path / "nowhere.json")
    assert "nowhere.json" in capfd.readouterr().err
