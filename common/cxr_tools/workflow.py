"""A bundle's workflow in a process of its own, as its users run it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cxr_common.errors import InputError

#: How MONAI's config parser wraps whatever a config entry raised.
_PARSER = "Failed to evaluate"


def workflow_command(
    bundle: Path, configs: Sequence[Path], options: Mapping[str, object], processes: int = 1
) -> list[str]:
    """The command line ``python -m monai.bundle run``.

    Args:
        bundle: folder of the bundle.
        configs: its config files and overlays, in order.
        options: name -> value of the options to give besides ``--bundle_root``.
        processes: more than one runs it under ``torchrun``; one of the configs is then the multi-GPU overlay.
    """
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    files = ",".join(f"'{path}'" for path in configs)
    return [
        sys.executable,
        *(launcher if processes > 1 else []),
        *("-m", "monai.bundle", "run", "--config_file", f"[{files}]", "--bundle_root", str(bundle)),
        *(part for name, value in options.items() for part in (f"--{name}", str(value))),
    ]


def show_workflow(command: Sequence[str]) -> int:
    """Run a workflow to its end on this terminal; returns its exit status. An interrupt reaches it too."""
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal told it as well: it ends by itself, with a checkpoint where it trains


def run_workflow(
    command: Sequence[str],
    log: Path,
    append: bool = False,
    environment: Mapping[str, str] | None = None,
    show: Callable[[str], None] | None = None,
) -> tuple[int, str | None]:
    """Run a workflow to its end, with what it prints in a log; it ends with this process.

    Args:
        command: the command line.
        log: file for what it prints.
        append: whether the log of an earlier run goes on.
        environment: its environment variables; default those of this process.
        show: called about once a second with the last line of the log.

    Returns:
        Its exit status, and the error that its log ends with; None where it has none.
    """
    before = log.stat().st_size if append and log.exists() else 0
    with open(log, "ab" if append else "wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=1)
                if show is not None:
                    show(last_line(log))
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    return process.returncode, failure_reason(log, before)


def last_line(log: Path, size: int = 4000) -> str:
    """The last line of a log, progress bars included."""
    with open(log, "rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - size))
        text = file.read().decode("utf-8", "replace")
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def failure_reason(log: Path, start: int = 0) -> str | None:
    """Why a workflow failed, according to its log.

    Args:
        log: what it printed.
        start: byte from which on the log is this run's.

    Returns:
        Our own error line where there is one, else the exception beneath those of MONAI's config parser; None where
        the log holds neither.
    """
    text = log.read_bytes()[start:].decode("utf-8", "replace")
    errors = re.findall(r"^error: (.*)$", text, re.MULTILINE)
    exceptions = re.findall(r"^[\w.]+(?:Error|Exception): .*$", text, re.MULTILINE)
    raised = [line for line in exceptions if _PARSER not in line]
    return errors[-1] if errors else raised[-1] if raised else None


def run_tool(*arguments: object) -> None:
    """Run ``python -m`` with these arguments; one of this repository's command lines in its own process.

    Raises:
        InputError: it failed. It has said why by then.
    """
    command = [sys.executable, "-m", *map(str, arguments)]
    if status := subprocess.run(command, check=False).returncode:
        how = f"was ended by signal {-status}" if status < 0 else f"failed with exit status {status}"
        raise InputError(how, f"python -m {arguments[0]}", "see what it says above")
