"""Asks a child process what only running the bundle's code can tell.

The child has a time limit, an empty working directory and no network (`probes.guard`). That keeps accidents away; it is
no sandbox: code that means harm has the rights of whoever runs this.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from pathlib import Path
from typing import Any

from . import probes
from .bundle import Bundle
from .options import Options

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_CONTEXT: Any = multiprocessing.get_context(_METHOD)
if _METHOD == "forkserver":
    _CONTEXT.set_forkserver_preload(["torch", "monai.bundle"])  # once, not in every child


class ChildFailed(Exception):
    """The child raised, died or took too long; the message says which."""


def ask(bundle: Bundle, options: Options, probe: str, **arguments: Any) -> Any:
    """What a probe finds out about a bundle. The same question is asked once.

    Args:
        bundle: the bundle.
        options: for the time limit.
        probe: name of a module of `probes`.
        arguments: JSON values that it takes beside the bundle's folder.

    Raises:
        ChildFailed: if there is no answer.
    """
    question = json.dumps([probe, arguments], sort_keys=True)
    if question not in bundle.answers:
        bundle.answers[question] = _run(bundle.root, probe, arguments, options.timeout)
    answer = bundle.answers[question]
    if "error" in answer:
        raise ChildFailed(answer["error"])
    return answer["answer"]


def _run(root: Path, probe: str, arguments: dict[str, Any], timeout: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        elsewhere = Path(folder) / "elsewhere"
        elsewhere.mkdir()
        # What comes back is JSON in a file: a pickle from a process that ran foreign code would run it here too.
        reply, log = Path(folder) / "answer.json", Path(folder) / "log.txt"
        work = (probe, str(root), arguments, str(elsewhere), str(reply), str(log), str(Path.cwd()))
        process = _CONTEXT.Process(target=probes.answer, args=work)
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            return {"error": f"did not end within {timeout:g} s"}
        try:
            answer = json.loads(reply.read_text("utf-8"))
            return answer if isinstance(answer, dict) else {"error": "gave no answer"}
        except (OSError, ValueError):
            said = log.read_text("utf-8", errors="replace").strip().splitlines() if log.exists() else []
            return {"error": f"ended with status {process.exitcode}" + (f" after saying: {said[-1]}" if said else "")}
