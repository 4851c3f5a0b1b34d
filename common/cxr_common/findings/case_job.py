"""Write the files of one image; what goes wrong is returned, for no image may end a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_common.data.loader import Failure
from cxr_common.errors import InputError, causes
from cxr_common.findings.case import Case, CaseKeys, RunModel, decode_case
from cxr_common.findings.case_files import EarlierFiles
from cxr_common.findings.case_names import absolute
from cxr_common.findings.case_writer import NotForThisImageError
from cxr_common.findings.outputs import Writers
from cxr_common.findings.publish import published

logger = logging.getLogger(__name__)
#: What the remedy of a failure begins with that is not the image's: another time it may work.
SPACE_OR_RIGHTS = "check space and rights"


@dataclass(frozen=True)
class Written:
    """An image whose files are written.

    Attributes:
        case: the image.
        files: what findings.json lists, by kind.
        left_out: why some outputs have no file of it.
    """

    case: Case
    files: Mapping[str, Any]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotWritten:
    """An image without results; with `keep`, those of an earlier run stay where they are."""

    failure: Failure
    keep: bool = False


@dataclass(frozen=True)
class CaseJob:
    """What writing takes that all images of a run share. It may be called in several threads at a time.

    Args:
        folder: the output folder.
        writers: of the run.
        earlier: files that an earlier run left there.
        model: of the run.
        keys: where the postprocessing puts its results.
    """

    folder: Path
    writers: Writers
    earlier: EarlierFiles
    model: RunModel
    keys: CaseKeys

    def __call__(
        self, item: Mapping[Hashable, Any], name: str, read_picture: Callable[[str], Any] | None
    ) -> Written | NotWritten:
        """Write the files of an item of a decollated batch; they appear together or not at all.

        Args:
            item: what the postprocessing made.
            name: of the case.
            read_picture: see :func:`~cxr_common.findings.case.decode_case`.
        """
        path = item[self.keys.findings]["path"]
        try:
            return self._written(decode_case(item, self.keys, name, absolute(path), self.model, read_picture))
        except Exception as error:
            logger.debug("writing failed", exc_info=error)
            return not_written(path, error, self.folder)

    def _written(self, case: Case) -> Written:
        files: dict[str, Any] = {}
        left_out: list[str] = []
        obsolete = self.earlier.of(case.name)
        if not self.writers.of_cases and not obsolete:
            return Written(case, files)
        with published(self.folder, obsolete) as folder:
            for writer in self.writers.of_cases:
                try:
                    files[writer.kind] = writer.write(case, folder)
                except NotForThisImageError as reason:
                    left_out.append(str(reason))
        return Written(case, files, tuple(dict.fromkeys(left_out)))


def not_written(path: str, error: Exception, folder: Path) -> NotWritten:
    """The failure that an exception means, where results of an image should have been written into a folder."""
    if isinstance(error, InputError):
        return NotWritten(Failure(path, error.reason, error.action), keep=isinstance(error.__cause__, OSError))
    if isinstance(error, OSError):
        reason = f"results cannot be written ({_strerror(error)})"
        return NotWritten(Failure(path, reason, f"{SPACE_OR_RIGHTS} of {folder}"), keep=True)
    reason = f"results cannot be written ({type(error).__name__}: {error})"
    return NotWritten(Failure(path, reason, "report this as a defect"))


def _strerror(error: OSError) -> str:
    """What the system says; pydicom raises an error anew, with a traceback as its text."""
    return next((e.strerror for e in causes(error) if isinstance(e, OSError) and e.strerror), str(error))
