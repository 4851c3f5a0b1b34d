"""The records of a run in a file that only grows, so that a run may be killed, and memory does not grow with it."""

from __future__ import annotations

import errno
import json
import logging
import os
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from cxr_common.files import replacing
from cxr_common.findings.run_record import file_names

logger = logging.getLogger(__name__)
#: Lies in the output folder while a run goes on, and stays behind where the run was killed.
JOURNAL = ".findings.jsonl"


class RecordLines:
    """A file of JSON lines: what the run is made from, then a line for each image that is done.

    A line is ``{"source": path, "state": [bytes, time of change], "record": {...}, "notes": {...}, "check": number}``;
    the record is that of findings.json, and the number a checksum of the line without it. It is written once the
    image's files are in place, in one go, and the system has it when :meth:`append` returns: nothing is lost when the
    process is killed. Lines that are not whole, were changed, or speak of an image again do not count.

    Args:
        path: the file.
        made_from: plain values.
        resume: go on with the file that is there, where it is of a run made from the same. Of its images those count
            that are what they were and whose results are there.

    Attributes:
        done: paths of the images, as the run was given them.
    """

    def __init__(self, path: Path, made_from: Mapping[str, Any], resume: bool = False) -> None:
        self.path = path
        self.done: set[str] = set()
        self._count = 0
        head = json.dumps(made_from, sort_keys=True).encode() + b"\n"
        with replacing(path) as new, open(new, "wb") as file:
            file.write(head)
            for line in _usable(path, head) if resume else ():
                if (source := json.loads(line)["source"]) not in self.done:
                    file.write(line)
                    self._remember(source)
        self._file = open(path, "r+b", buffering=0)  # noqa: SIM115 - until the end of the run
        self._reader = open(path, "rb")  # noqa: SIM115

    def append(self, record: Mapping[str, Any], source: str, notes: Mapping[str, Any]) -> None:
        """Add an image.

        Args:
            record: of the image, plain values.
            source: its path.
            notes: file of a :class:`~cxr_common.findings.RunWriter` -> what that keeps of the image besides.

        Raises:
            OSError: there is no room; the file is as before.
        """
        entry = {"source": source, "state": _state(source), "record": record, "notes": notes}
        line = json.dumps({**entry, "check": _check(entry)}, allow_nan=False).encode() + b"\n"
        end = self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            self._file.truncate(end)
            raise
        self._remember(source)

    def _remember(self, source: str) -> None:
        self.done.add(source)
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The records, in the order of their lines."""
        for entry in self.entries():
            yield entry["record"]

    def entries(self) -> Iterator[dict[str, Any]]:
        """The lines of the images. They are read from the open file, which may have been removed meanwhile."""
        self._reader.seek(0)
        for line in islice(self._reader, 1, None):
            yield json.loads(line)

    def close(self, remove: bool = True) -> None:
        """Write no more, and remove the file where findings.json has its records; they can still be read."""
        self._file.close()
        if remove:
            if os.name == "nt":  # which removes no open file
                self._reader.close()
            self.path.unlink(missing_ok=True)

    def __del__(self) -> None:
        if hasattr(self, "_reader"):
            self._reader.close()


def _check(entry: Mapping[str, Any]) -> int:
    """Checksum of a line, the same when it was written and read again."""
    return zlib.crc32(json.dumps(entry).encode())


def _usable(path: Path, head: bytes) -> Iterator[bytes]:
    """Lines of images that need not be done again."""
    try:
        with open(path, "rb") as file:
            if file.readline() != head:
                logger.warning("%s: is of a run with other weights, outputs or settings; this run begins anew", path)
                return
            for line in file:
                if not line.endswith(b"\n"):
                    return
                entry = json.loads(line)
                if entry.pop("check") != _check(entry):
                    continue
                names = file_names(entry["record"]["files"])
                if entry["state"] == _state(entry["source"]) and all((path.parent / name).is_file() for name in names):
                    yield line
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # none is there, or what is there is not ours


def _state(source: str) -> list[int] | None:
    """Size and time of change of a file, by which a changed one is known; None where there is none."""
    try:
        status = Path(source).stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
