"""What became of every image of a run: its record, or why it has none."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxr_common.data.loader import Failure
from cxr_common.errors import InputError
from cxr_common.findings.case_files import EarlierFiles
from cxr_common.findings.case_names import CaseNames, absolute
from cxr_common.findings.record_lines import JOURNAL, RecordLines
from cxr_common.findings.run_record import FILE_NAME, file_names, plain, read_findings

logger = logging.getLogger(__name__)
_EARLIER = "these are results of an earlier run: the new ones could not be written"


class RunImages:
    """The images that a run has processed so far.

    Args:
        folder: where their files lie.
        names: what their files are called.
        earlier: files that an earlier run left there.

    Attributes:
        records: what findings.json says of the images that are done, in their order; in the folder's journal, where
            :meth:`begin` was called.
        failures: of the others; paths are as the run was given them.
    """

    def __init__(self, folder: Path, names: CaseNames, earlier: EarlierFiles) -> None:
        self.folder, self.names, self.earlier = folder, names, earlier
        self.forget()

    def forget(self) -> None:
        """Begin anew, in memory."""
        self.records: list[dict[str, Any]] | RecordLines = []
        self.failures: list[Failure] = []
        self._kept: set[str] = set()

    def begin(self, made_from: Mapping[str, Any], resume: bool) -> Iterator[dict[str, Any]]:
        """Begin anew, or go on with what a killed run had done, in the journal of the folder.

        Where no journal can be written, as on a full disk, records stay in memory: each image then says what it lacks.

        Returns:
            The journal's entries of the images that are done.
        """
        self.forget()
        try:
            self.records = RecordLines(self.folder / JOURNAL, made_from, resume)
        except InputError as error:
            logger.warning("%s; if this run is killed, it cannot be resumed", error)
            return iter(())
        return self.records.entries()

    @property
    def done(self) -> frozenset[str]:
        """Absolute paths of the images that are in the journal."""
        lines = self.records.done if isinstance(self.records, RecordLines) else ()
        return frozenset(str(absolute(path)) for path in lines)

    def add(self, record: Mapping[str, Any], source: str, notes: Mapping[str, Any]) -> None:
        """Remember the record of an image.

        Raises:
            OSError: the journal cannot be written.
        """
        if isinstance(self.records, RecordLines):
            self.records.append(plain(record), source, notes)
        else:
            self.records.append(plain(record))

    def close(self, remove: bool = True) -> None:
        """The run is over; the journal is removed where findings.json has all records."""
        if isinstance(self.records, RecordLines):
            self.records.close(remove)

    def fail(self, path: str, reason: str, action: str | None, keep: bool = False) -> None:
        """Remember a failure; with `keep`, the image's files of an earlier run stay where they are."""
        self.failures.append(Failure(path, reason, action))
        if keep:
            self._kept.add(path)

    def is_done(self, path: str | Path) -> bool:
        """Whether an image has a record."""
        return self.names.relative(path).as_posix() in {record["path"] for record in self.records}

    def settle(self, unread: Iterable[Failure]) -> list[Failure]:
        """Every failure of the run, as findings.json names it, when all images were tried.

        Files of failed images from an earlier run are removed, but where nothing at all could be written. A record
        whose files are no longer there becomes a failure.

        Args:
            unread: inputs that were never read.
        """
        return [self._settled(failure) for failure in (*self.failures, *unread)] + self._vanished()

    @property
    def only_kept(self) -> bool:
        """Whether space or rights were missing to write any result, and those of an earlier run are complete."""
        return bool(self._kept) and not self.records and (self.folder / FILE_NAME).is_file()

    def earlier_records(self, model: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Records that the folder's findings.json has of images whose new results could not be written.

        Args:
            model: of this run. Records of another are not given, for one findings.json is of one model.
        """
        if not self._kept:
            return []
        try:
            earlier = read_findings(self.folder)
        except InputError:
            return []
        kept = {self.names.relative(path).as_posix() for path in self._kept} if earlier["model"] == model else set()
        found = [record for record in earlier["images"] if record["path"] in kept and self._is_whole(record)]
        return [{**record, "warnings": list(dict.fromkeys([*record["warnings"], _EARLIER]))} for record in found]

    def _is_whole(self, record: Mapping[str, Any]) -> bool:
        return all((self.folder / name).is_file() for name in file_names(record["files"]))

    def _settled(self, failure: Failure) -> Failure:
        path = failure.path
        if not path:
            return failure
        for name in () if path in self._kept or self.only_kept else self.earlier.of(self.names.name(path)):
            with suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)
        return replace(failure, path=self.names.relative(path).as_posix())

    def _vanished(self) -> list[Failure]:
        gone = [record for record in self.records if not self._is_whole(record)]
        if gone:
            kept = [record for record in self.records if record not in gone]
            self.close()
            self.records = kept
        reason = "its results were removed while the run went on"
        action = "leave the output folder alone and run again"
        return [Failure(record["path"], reason, action) for record in gone]
