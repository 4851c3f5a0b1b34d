"""Changed files by the thousand, each read as a bundle reads it: what comes of them."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from cxr_common.errors import InputError
from tools.bench.memory import reset_peak, resident_peak
from tools.faults.readers import READERS, mutate, write_originals

Record = dict[str, Any]
#: Seconds after which a file counts as one that hangs.
PATIENCE = 10.0
#: Address space of the process that reads, bytes: what takes more is a failure, and not the end of the machine.
MOST_MEMORY = 12 << 30
OUTCOMES = ("read", "refused", "crashed", "hung")


def fuzz_inputs(
    files: int, seed: int, patience: float = PATIENCE, kinds: tuple[str, ...] = tuple(READERS)
) -> list[Record]:
    """Read changed files.

    Args:
        files: how many, of all kinds together.
        seed: the same seed changes the same bytes.
        patience: seconds for a file.
        kinds: of `READERS`.

    Returns:
        For each kind how many files were read, refused by one clear error, crashed (any other exception, or the end of
        the process) and hung; the slowest, in seconds; the largest growth of memory by one file, bytes; and the number
        (which with the seed gives the bytes) and words of each failure.
    """
    with TemporaryDirectory() as name:
        originals = write_originals(Path(name, "data"))
        share = -(-files // len(kinds))
        return [_fuzz(kind, originals[kind], share, seed, patience) for kind in kinds]


def changed_file(kind: str, originals: list[Path], seed: int, number: int) -> Path:
    """Write the changed file of a number beside its original, under one name for all of a suffix; its path."""
    rng = np.random.default_rng([seed, sorted(READERS).index(kind), number])
    original = originals[number % len(originals)]
    path = original.with_name(f"changed{''.join(original.suffixes)}")
    path.write_bytes(mutate(kind, original.read_bytes(), rng))
    return path


def _fuzz(kind: str, originals: list[Path], files: int, seed: int, patience: float) -> Record:
    folder = originals[0].parent
    if kind == "thresholds":  # those of the bundles stay what they are
        originals = [_copy(path, folder / f"{n}.json") for n, path in enumerate(originals)]
    record: Record = {"kind": kind, "files": files, **dict.fromkeys(OUTCOMES, 0), "slowest_s": 0.0, "grown_bytes": 0}
    failures = []
    reader = _Reader()
    for number in tqdm(range(files), desc=kind):
        path = changed_file(kind, originals, seed, number)
        outcome, seconds, grown, words = reader.read(kind, path, patience)
        record[outcome] += 1
        record["slowest_s"] = max(record["slowest_s"], seconds)
        record["grown_bytes"] = max(record["grown_bytes"], grown)
        if outcome in ("crashed", "hung"):
            failures.append({"number": number, "outcome": outcome, "words": words})
    reader.close()
    return record | {"failures": failures}


def _copy(path: Path, to: Path) -> Path:
    to.write_bytes(path.read_bytes())
    return to


class _Reader:
    """A process that reads files, and another in its place where it ends or hangs."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_read_files, args=(there,), daemon=True)
        self._process.start()
        there.close()
        self._here.recv()  # it is ready: imports are not a file's time

    def read(self, kind: str, path: Path, patience: float) -> tuple[str, float, int, str]:
        """Outcome, seconds, growth of memory in bytes, and words."""
        self._here.send((kind, path))
        try:
            if self._here.poll(patience):
                return self._here.recv()
            outcome = ("hung", patience, 0, "")
        except EOFError:
            self._process.join()
            outcome = ("crashed", 0.0, 0, f"the process ended with status {self._process.exitcode}")
        self.close()
        self._start()
        return outcome

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._here.close()


def _read_files(pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    pipe.send("ready")
    for kind, path in _received(pipe):
        start, before = time.perf_counter(), reset_peak()
        outcome, words = "read", ""
        try:
            READERS[kind](path)
        except InputError as error:
            outcome, words = "refused", str(error)
        except Exception as error:
            outcome, words = "crashed", f"{type(error).__name__}: {error}"
        pipe.send((outcome, time.perf_counter() - start, resident_peak() - before, words[:500]))


def _received(pipe: Connection) -> Iterator[tuple[str, Path]]:
    while True:
        try:
            yield pipe.recv()
        except EOFError:
            return
