"""One training at a time in a folder, as for inference: two would overwrite each other's checkpoints."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

from cxr_common.distributed import is_first_process
from cxr_common.files import as_path
from cxr_common.findings.run_folder import RunFolder
from cxr_common.start.running import running_workflow

#: What a training replaces.
_KEPT = ("model.pt", "model_last.pt", "checkpoint.pt", "thresholds.json")
_claimed: dict[Path, RunFolder] = {}


def claim_training_folder(output_dir: Any, _resume: bool) -> None:
    """Take the folder for the workflow that is running, for as long as it lives; of several processes the first does.

    Within a process trainings follow each other, so one that has the folder already may go on there.

    Raises:
        InputError: another process trains into the folder, or its files cannot be replaced.
    """
    workflow, path = running_workflow(), as_path(output_dir).absolute()
    if workflow is None or path in _claimed or not is_first_process():
        return
    folder = RunFolder(path, _KEPT)
    folder.claim()
    _claimed[path] = folder
    weakref.finalize(workflow, _give_up, path)


def _give_up(path: Path) -> None:
    _claimed.pop(path).release()
