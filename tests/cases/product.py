"""The product as its users run it: each command in a process of its own, or for fast tests all in this one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from monai.bundle import ConfigWorkflow

from cxr_common.cli import find_config_error
from cxr_common.errors import find_input_error
from cxr_tools.workflow import workflow_command
from tools.repository import BUNDLES, REPOSITORY

BUNDLE = BUNDLES / "cxr_pylon_localization"
#: A training of seconds on small images.
SMALL = {"backbone": "resnet18", "spatial_size": [64, 64], "batch_size": 4, "max_epochs": 1}


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: its exit status.
        error: the text after ``error:``, "" without such a line.
        traceback: whether one was shown.
    """

    status: int
    error: str = ""
    traceback: bool = False

    def refuses(self, *words: str) -> None:
        """Assert that it ended with one error line that has these words."""
        assert self.status != 0, "it ran through"
        assert not self.traceback, f"a traceback: {self.error}"
        assert self.error, "there is no error line"
        for word in words:
            assert word in self.error, f"{word!r} is not in {self.error!r}"

    def works(self) -> None:
        """Assert that it ran through."""
        assert self.status == 0, f"status {self.status}: {self.error}"


class Product(Protocol):
    """What users call."""

    def bundle(self, configs: list[str], cwd: Path, processes: int = 1, **options: Any) -> Outcome:
        """Run some configs of the bundle in a folder, with options by name."""

    def tool(self, module: str, *arguments: str) -> Outcome:
        """Run ``python -m module`` with these arguments."""


def infer(product: Product, images: Any, output: Any, cwd: Path, **options: Any) -> Outcome:
    """Inference of a folder of images."""
    return product.bundle(["inference.json"], cwd, dataset_dir=images, output_dir=output, **options)


def train(product: Product, data: Path, output: Path, *overlays: str, **options: Any) -> Outcome:
    """A small training."""
    folders = {"dataset_dir": str(data), "output_dir": str(output)}
    return product.bundle(["train.yaml", *overlays], output.parent, **{**SMALL, **folders, **options})


def findings(output: Path) -> dict[str, Any]:
    """The content of findings.json."""
    record: dict[str, Any] = json.loads((output / "findings.json").read_text(encoding="utf-8"))
    return record


class InThisProcess:
    """Everything in this process, which saves the start of Python and its imports."""

    def bundle(self, configs: list[str], cwd: Path, processes: int = 1, **options: Any) -> Outcome:
        """See `Product`; of several processes only what one of them is told."""
        if processes > 1:
            options["train::sampler::num_replicas"] = processes
        before = Path.cwd()
        os.chdir(cwd)
        try:
            return self._outcome(lambda: self._run(configs, options))
        finally:
            os.chdir(before)

    def tool(self, module: str, *arguments: str) -> Outcome:
        """See `Product`."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            outcome = self._outcome(lambda: import_module(module).main(list(arguments)))
        return Outcome(outcome.status, outcome.error or _error_line(said.getvalue()), outcome.traceback)

    @staticmethod
    def _run(configs: list[str], options: dict[str, Any]) -> None:
        flow = ConfigWorkflow(
            config_file=[str(BUNDLE / "configs" / name) for name in configs],
            meta_file=str(BUNDLE / "configs" / "metadata.json"),
            logging_file=False,
            bundle_root=str(BUNDLE),
            **options,
        )
        flow.initialize()
        flow.run()

    @staticmethod
    def _outcome(call: Any) -> Outcome:
        try:
            return Outcome(call() or 0)
        except SystemExit as end:
            return Outcome(int(end.code or 0))
        except Exception as error:
            known = find_input_error(error) or find_config_error(error)
            return Outcome(1, str(known or repr(error)), traceback=known is None)


class AsAUser:
    """Every command in a process of its own."""

    def bundle(self, configs: list[str], cwd: Path, processes: int = 1, **options: Any) -> Outcome:
        """See `Product`; several processes by torchrun."""
        configs = [*configs, *(["multi_gpu_train.yaml"] if processes > 1 else [])]
        values = {name.replace("::", "#"): value for name, value in options.items()}
        paths = [BUNDLE / "configs" / name for name in configs]
        return self._outcome(workflow_command(BUNDLE, paths, values, processes), cwd)

    def tool(self, module: str, *arguments: str) -> Outcome:
        """See `Product`."""
        return self._outcome([sys.executable, "-m", module, *arguments], REPOSITORY)

    @staticmethod
    def _outcome(command: list[str], cwd: Path) -> Outcome:
        environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'common'}{os.pathsep}{REPOSITORY}"}
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
        )
        return Outcome(done.returncode, _error_line(done.stderr), "Traceback" in done.stderr)


def _error_line(said: str) -> str:
    lines = [line.partition("error: ")[2] for line in said.splitlines() if "error: " in line]
    return lines[-1] if lines else ""
