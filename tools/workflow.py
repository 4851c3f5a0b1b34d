"""A bundle's workflow in a process of its own, as its users run it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

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


def failure_reason(log: Path, start: int = 0) -> str | None:
    """Why a workflow failed, by its log.

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
