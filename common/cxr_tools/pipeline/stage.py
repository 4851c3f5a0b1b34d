"""One stage of the pipeline: a bundle's workflow, run unless its inputs are those of the last time."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cxr_common.errors import InputError
from cxr_common.files import write_json
from cxr_common.findings.run_folder import RunFolder
from cxr_common.json_files import read_json
from cxr_common.loading import find_bundle
from cxr_tools.workflow import run_workflow, workflow_command

DONE, STARTED = "stage.json", "stage.started"


@dataclass(frozen=True)
class Stage:
    """A bundle's training, inference or evaluation.

    Attributes:
        name: what the user reads.
        bundle: folder name below ``bundles/``.
        configs: its config files, in order.
        overrides: config entries that differ from them.
        output: folder it writes to; the stage's own record and log lie there too.
        inputs: hashes of the files it reads, by name: with the configs and overrides they decide whether it runs.
        processes: more than one runs it under ``torchrun``, for stages whose bundle has a multi-GPU overlay.
    """

    name: str
    bundle: str
    configs: tuple[str, ...]
    overrides: Mapping[str, Any]
    output: Path
    inputs: Mapping[str, str] = field(default_factory=dict)
    processes: int = 1

    @property
    def root(self) -> Path:
        """The bundle's folder."""
        return find_bundle(self.bundle)

    @property
    def infers(self) -> bool:
        """Whether it runs a network over images."""
        return self.configs == ("inference.json",)

    @property
    def config_files(self) -> list[Path]:
        """Its config files; with several processes the multi-GPU overlay too."""
        more = ("multi_gpu_train.yaml",) if self.processes > 1 else ()
        return [self.root / "configs" / name for name in (*self.configs, *more)]

    def key(self) -> str:
        """Hash of all that decides its result; of config files the content counts, not comments."""
        files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in self.config_files]
        content = [files, dict(self.overrides), dict(self.inputs)]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def is_done(self) -> bool:
        """Whether it was run to its end with this key."""
        done = self.output / DONE
        return done.is_file() and read_json(done, "remove this folder and run again").get("key") == self.key()

    def command(self) -> list[str]:
        """The command line, see :func:`~cxr_tools.workflow.workflow_command`."""
        files = [*self.config_files, self.output / "overrides.json"]
        options: dict[str, Any] = {"output_dir": self.output}
        if self.infers:
            options["resume"] = True  # trainings do it unasked; nothing is lost where there is nothing to resume
        return workflow_command(self.root, files, options, self.processes)

    def run(
        self,
        show: Callable[[str], None] | None = None,
        accept: Sequence[int] = (0,),
        check: Callable[[], None] | None = None,
    ) -> bool:
        """Run it, unless it is done.

        A stage that was killed goes on where its bundle left off; one whose inputs changed starts anew.

        Args:
            show: called about once a second with the last line of the log.
            accept: exit statuses that are fine; inference ends with 1 where single images failed.
            check: called when it ended well, before it counts as done; raises InputError where something is amiss.

        Returns:
            Whether it ran.

        Raises:
            InputError: it failed, which names its log; its folder holds something else, or another run writes there.
        """
        if self.is_done():
            return False
        key, started = self.key(), self.output / STARTED
        if self.output.exists() and any(self.output.iterdir()) and not started.is_file():
            raise InputError("holds files that are not this pipeline's", self.output, "choose another output folder")
        if started.is_file() and started.read_text(encoding="utf-8") != key:
            folder = RunFolder(self.output)
            folder.claim()  # a killed pipeline leaves its stage running, which still writes here
            folder.release()
            shutil.rmtree(self.output)
        self.output.mkdir(parents=True, exist_ok=True)
        started.write_text(key, encoding="utf-8")
        (self.output / "overrides.json").write_text(json.dumps(dict(self.overrides)), encoding="utf-8")
        log, begin = self.output / "log.txt", time.monotonic()
        status, reason = run_workflow(self.command(), log, append=True, show=show)
        if status not in accept:
            raise InputError(
                f"stage {self.name!r} ended with status {status}", log, reason or "read the end of this log"
            )
        if check is not None:
            check()
        write_json(
            {"key": key, "minutes": (time.monotonic() - begin) / 60, "inputs": dict(self.inputs)}, self.output / DONE
        )
        return True
