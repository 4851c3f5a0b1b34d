"""What a person can ask of a verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """Of one verification.

    Args:
        static: nothing of the bundle is executed: files are only read.
        zoo: only what the model zoo's CI checks.
        exports: TorchScript and ONNX too, which is slow.
        pure: the strict grammar without Python code too.
        commands: run the README's `monai.bundle run` commands.
        data: folder for `--dataset_dir` of these commands.
        released: JSON file of released versions and their hashes.
        only: ids or families of checks to run; empty: all.
        skip: ids or families of checks not to run.
        allowed: further calls that the strict grammar allows.
        timeout: seconds that one check may take in a child process.
    """

    static: bool = False
    zoo: bool = False
    exports: bool = False
    pure: bool = False
    commands: bool = False
    data: Path | None = None
    released: Path | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    allowed: frozenset[str] = field(default_factory=frozenset)
    timeout: float = 300.0
