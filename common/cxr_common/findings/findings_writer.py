"""Ignite handler that writes what a run found: the outputs that it was told to write, and a record of failures."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from cxr_common.data.loader import Failure, batch_paths
from cxr_common.dicom_results import DicomOptions
from cxr_common.errors import InputError
from cxr_common.files import as_path
from cxr_common.findings.case import CaseKeys, RunModel
from cxr_common.findings.case_files import EarlierFiles
from cxr_common.findings.case_job import CaseJob, NotWritten, Written, not_written
from cxr_common.findings.case_names import CaseNames, absolute
from cxr_common.findings.case_writer import CaseWriter, RunWriter
from cxr_common.findings.class_names import check_class_names
from cxr_common.findings.outputs import DEFAULT_OUTPUTS, chosen_writers
from cxr_common.findings.progress import Progress
from cxr_common.findings.run_folder import RunFolder
from cxr_common.findings.run_images import RunImages
from cxr_common.findings.run_record import FILE_NAME, run_record, summary
from cxr_common.findings.thresholds import ClassThresholds
from cxr_common.findings.writer_pool import WriterPool
from cxr_common.networks.weights import weights_sha256
from cxr_common.text import printable

logger = logging.getLogger(__name__)


class FindingsWriter:
    """Write the findings of every image as soon as they are there, and the files of the whole run at the end.

    Runs after :class:`~cxr_common.transforms.localize.LocalizeFindingsd`, or another transform that ends in findings,
    on a decollated batch. What is written is composed of `outputs`, each by a writer of its own
    (:class:`~cxr_common.findings.CaseWriter`, :class:`~cxr_common.findings.RunWriter`). The files of an image appear
    together or not at all; what goes wrong with one image becomes its failure record. Files and record are described in
    docs/reference/findings.md.

    Args:
        output_dir: folder for all files; made where missing.
        thresholds: those that the transform used; they name the classes.
        bundle: name of the bundle.
        version: its version.
        outputs: names of what is written, see :mod:`cxr_common.findings.outputs`; the record lists files in this order.
        own_outputs: name -> writer: outputs of this bundle, besides those that all can have.
        weights: its weights file, for the hash; None where there is none.
        loader: whatever lists unreadable inputs under `failures` (objects with path, reason, action).
        input_dir: case names and paths are relative to it.
        read_picture: path -> picture in [0, 1] as (X, Y) or (1, X, Y), the background of the overlay at the original's
            resolution; None draws on the network input.
        network: where it has ``describe(labels)``, what that returns joins the record's `model`.
        inferer: where it has ``describe()``, as a saliency method has, that joins it too; a warning is logged where the
            thresholds were tuned with another.
        dicom: options of the DICOM results among the outputs; None is the defaults.
        writers: threads that draw, compress and write beside the network; 0 writes before the network goes on.
        resume: go on where a run that was killed or stopped ended, where it was made from the same.
        made_from: settings that the findings depend on, besides what is given here.
        findings_key, heatmap_key, masks_key, image_key: where the transform put its results; None where it makes no
            heatmap or no masks.

    Raises:
        InputError: two classes would write the same file, the outputs do not fit (see
            :func:`~cxr_common.findings.outputs.chosen_writers`), or results would lie among the radiographs. When the
            run starts: `output_dir` cannot be written, or another run writes into it.
    """

    def __init__(
        self,
        output_dir: str | Path,
        thresholds: ClassThresholds,
        bundle: str,
        version: str,
        outputs: Sequence[str] = DEFAULT_OUTPUTS,
        own_outputs: Mapping[str, CaseWriter | RunWriter] | None = None,
        weights: str | Path | None = None,
        loader: Any = None,
        input_dir: str | Path | None = None,
        read_picture: Callable[[str], Any] | None = None,
        network: Any = None,
        inferer: Any = None,
        dicom: DicomOptions | None = None,
        writers: int = 0,
        resume: bool = False,
        made_from: Mapping[str, Any] | None = None,
        findings_key: str = "findings",
        heatmap_key: str | None = "heatmap",
        masks_key: str | None = "masks",
        image_key: str = "image",
    ) -> None:
        labels = tuple(thresholds.labels)
        check_class_names(labels)
        has = {name for name, key in (("heatmap", heatmap_key), ("masks", masks_key)) if key is not None}
        dicom = dicom or DicomOptions()
        self.writers = chosen_writers(outputs, own_outputs or {}, has, labels, dicom)
        self.output_dir = as_path(output_dir)
        source = None if input_dir is None else absolute(input_dir).resolve()
        if source is not None and source.is_dir() and source == self.output_dir.resolve():
            raise InputError("results would lie among the radiographs", self.output_dir, "give another output_dir")
        self.folder = RunFolder(self.output_dir, (FILE_NAME,))
        self.thresholds = thresholds
        sha256 = None if weights is None else weights_sha256(weights)
        self.model = RunModel(bundle, version, labels, sha256, _heatmaps_of(inferer, thresholds))
        self.loader, self.read_picture, self.network = loader, read_picture, network
        self.names = CaseNames(self.output_dir, input_dir)
        self.keys = CaseKeys(findings_key, heatmap_key, masks_key, image_key)
        self.earlier = EarlierFiles(self.output_dir, self.writers.of_cases, labels)
        self.images = RunImages(self.output_dir, self.names, self.earlier)
        self.job = CaseJob(self.output_dir, self.writers, self.earlier, self.model, self.keys)
        self.pool: WriterPool[Written | NotWritten] = WriterPool(writers, self._take)
        self.progress, self.resume = Progress(), resume
        options = {"outputs": list(outputs), "dicom": asdict(dicom), "settings": made_from}
        self._made_from = {"model": self.model.as_dict(), "thresholds": thresholds.as_dict(), **options}
        self._before = 0
        self._stopped = ""

    def attach(self, engine: Engine) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._write_batch)
        engine.add_event_handler(Events.COMPLETED, self._forget_length)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._record_crash)

    def finish(self) -> None:
        """Write the files of the run, print the summary and, where something failed, end the process.

        Raises:
            SystemExit: after everything is written; with status 2 where inference stopped before the last image, else
                with 1 where single images failed.
        """
        record = self._record()
        self._write_run(record)
        print(summary(record, self.output_dir))
        if self.images.only_kept:
            print("error: no results could be written; those of earlier runs are as they were", file=sys.stderr)
        if self._stopped:
            print(f"error: {printable(self._stopped)}; later images were not reached", file=sys.stderr)
            raise SystemExit(2)
        if record["failures"]:
            raise SystemExit(1)

    def write_record(self) -> dict[str, Any]:
        """Write the files of the run and return the content of findings.json.

        An image that failed keeps no files of an earlier run, unless only writing them failed: then it also keeps its
        record, if the model is the same. If nothing could be written, the files of an earlier run stay.

        Raises:
            InputError: one cannot be written.
        """
        record = self._record()
        record["images"] = list(record["images"])
        self._write_run(record)
        return record

    def _record(self) -> dict[str, Any]:
        """The content of findings.json, its images perhaps in the journal still."""
        self.pool.finish()
        self.progress.stop()
        found = getattr(self.loader, "failures", ())
        unread = [Failure(str(f.path or ""), str(f.reason), f.action) for f in found]
        failures = self.images.settle(unread)
        # Asked at the end: the writer is made before the weights are loaded.
        details = self.network.describe(self.thresholds.labels) if hasattr(self.network, "describe") else {}
        model = {**self.model.as_dict(), **details}
        record = run_record(model, self.thresholds, self.images.records, failures, self.names.root)
        if not self.images.only_kept and (earlier := self.images.earlier_records(record["model"])):
            record["images"] = [*record["images"], *earlier]
        return record

    def _write_run(self, record: Mapping[str, Any]) -> None:
        whole = False
        try:
            for writer in () if self.images.only_kept else self.writers.of_run:
                writer.write(record, self.output_dir)
            whole = not self._stopped
        finally:
            self.images.close(remove=whole)
            self.folder.release()

    def _start(self, _engine: Engine) -> None:
        # A workflow may run again in the same process.
        self._stopped = ""
        self.folder.claim()
        for entry in self.images.begin(self._made_from, self.resume):
            self.names.name(entry["source"])  # so that no other image gets its name
            for writer in self.writers.of_run:
                if writer.file in entry["notes"]:
                    writer.restore(entry["record"]["case"], entry["notes"][writer.file])
        self._before = len(self.images.records)
        if self.loader is not None:
            self.loader.done = self.images.done
            self.loader.keep_pictures = self.writers.draw and self.read_picture is not None
        self.progress.start(self.loader)

    def _forget_length(self, engine: Engine) -> None:
        # Ignite counts the batches of a loader without a length, and would stop there the next time.
        if not hasattr(self.loader, "__len__"):
            engine.state.epoch_length = None

    def _write_batch(self, engine: Engine) -> None:
        items: Any = engine.state.output
        for item in items:
            self.write_item(item)
        self._show()

    def _record_crash(self, engine: Engine, error: Exception) -> None:
        if not isinstance(error, Exception) or not self.folder.claimed:
            raise error
        self.pool.finish()
        # The network itself failed, so the images of this batch have no findings, and those after it were not reached.
        logger.debug("inference stopped", exc_info=error)
        reason = f"inference stopped here ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''})"
        self._stopped = reason
        for path in batch_paths(engine.state.batch, self.keys.image) or [""]:
            if not self.images.is_done(path):
                action = "later images were not reached; mend this and run again"
                self.images.fail(str(path or ""), reason, action)

    def write_item(self, item: Mapping[Hashable, Any]) -> None:
        """Write the files of one image and remember its record; a failure is remembered, not raised.

        With writer threads, the files are there when a later call or :meth:`write_record` returns.
        """
        found = item[self.keys.findings]
        if "failure" in found:
            failed = found["failure"]
            outcome = NotWritten(Failure(failed["path"], failed["reason"], failed.get("action")))
            self.pool.submit(lambda: outcome)
            return
        path, read = found["path"], self.read_picture
        picture = getattr(self.loader, "pictures", {}).get(path)
        if read is not None and picture is not None:  # kept from when the image was loaded
            read = partial(_given, picture)
        self.pool.submit(partial(self.job, item, self.names.name(path), read))

    def _take(self, outcome: Written | NotWritten) -> None:
        """Remember what became of an image; images come in the order of the run."""
        if isinstance(outcome, Written):
            try:
                self._remember(outcome)
            except Exception as error:
                logger.debug("remembering failed", exc_info=error)
                # No record lists its files, so none is kept.
                outcome = NotWritten(not_written(outcome.case.found.path, error, self.output_dir).failure)
        if isinstance(outcome, NotWritten):
            failure = outcome.failure
            self.images.fail(failure.path, failure.reason, failure.action, outcome.keep)
        self._show()

    def _remember(self, written: Written) -> None:
        case = written.case
        found = case.item[self.keys.findings]
        path = self.names.relative(found["path"]).as_posix()
        record = {"case": case.name, **found, "path": path, "files": written.files}
        if written.left_out:
            record["warnings"] = [*case.found.warnings, *written.left_out]
        notes = {writer.file: writer.add(case) for writer in self.writers.of_run}
        self.images.add(record, found["path"], {file: note for file, note in notes.items() if note is not None})

    def _show(self) -> None:
        unread = len(getattr(self.loader, "failures", ()))
        self.progress.show(len(self.images.records) + len(self.images.failures) + unread - self._before)


def _given(picture: Any, _path: str) -> Any:
    return picture


def _heatmaps_of(inferer: Any, thresholds: ClassThresholds) -> dict[str, Any]:
    """How the heatmaps are made, as their inferer says; warns where thresholds were tuned for others."""
    made: dict[str, Any] = inferer.describe() if hasattr(inferer, "describe") else {}
    for key, value in made.items():
        tuned = (thresholds.tuned_on or {}).get(key, value)
        if tuned != value:
            logger.warning(
                "%s: tuned for heatmaps by %s, and these are by %s; tune the thresholds of masks and boxes again",
                thresholds.source,
                *(" of ".join(str(part) for part in known.values() if part) for known in (tuned, value)),
            )
    return made
