"""The output folder of a run: it can be written, and one run at a time writes into it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_common.files import RUN_FILE, sweep_temporary
from cxr_common.findings.publish import sweep

try:
    import fcntl

    LOCK: Any = fcntl
except ImportError:  # Windows
    LOCK = None

_CHOOSE = "give another output_dir, or mend its rights"


class RunFolder:
    """Claims an output folder for a run.

    The claim is a lock on a file in the folder, which the system gives up when the process ends in whatever way. The
    file also marks the folder as one of results, so that no later run takes the pictures in it for radiographs.

    Args:
        folder: made where missing.
        kept: names of files that the run replaces at its end.
    """

    def __init__(self, folder: Path, kept: tuple[str, ...] = ()) -> None:
        self.folder, self.kept = folder, kept
        self._lock: int | None = None

    @property
    def claimed(self) -> bool:
        """Whether this run has the folder."""
        return self._lock is not None

    def claim(self) -> None:
        """Check that results can be written, take the folder, and remove what a killed run left half-written.

        Raises:
            InputError: the folder cannot be written, or another run writes into it.
        """
        self.release()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
            probe = self.folder / f"{RUN_FILE}-{os.getpid()}"
            probe.mkdir()
            probe.rmdir()
        except BlockingIOError:
            reason = "another run writes into this folder"
            raise InputError(reason, self.folder, "wait for it, or give another folder") from None
        except OSError as error:
            self.release()
            raise InputError(f"results cannot be written here ({error.strerror})", self.folder, _CHOOSE) from None
        for name in self.kept:
            self._check_replaceable(self.folder / name)
        sweep(self.folder)
        sweep_temporary(self.folder)

    def release(self) -> None:
        """Give the folder up."""
        if self._lock is not None:
            (self.folder / RUN_FILE).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _locked(self) -> int:
        path = self.folder / RUN_FILE
        while True:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                if LOCK is not None:
                    LOCK.flock(file, LOCK.LOCK_EX | LOCK.LOCK_NB)
                # A run that ended in between has removed the file, and the lock would be on nothing.
                if path.exists() and os.fstat(file).st_ino == path.stat().st_ino:
                    return file
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def _check_replaceable(self, path: Path) -> None:
        """Refuse a file that cannot be replaced: a folder, one made read-only, another user's in a shared folder."""
        try:
            known, around = path.lstat(), self.folder.stat()
        except FileNotFoundError:
            return
        user = os.geteuid() if hasattr(os, "geteuid") else known.st_uid
        sticky = around.st_mode & stat.S_ISVTX and user not in (0, known.st_uid, around.st_uid)
        if stat.S_ISDIR(known.st_mode) or sticky or not os.access(path, os.W_OK):
            self.release()
            raise InputError("this earlier result cannot be replaced", path, _CHOOSE)
