"""Ignite handler that writes what a run found: the outputs that it was told to write, and a record of failures."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from cxr_common.data.loader import Failure, batch_paths
from cxr_common.dicom_results import DicomOptions
from cxr_common.errors import InputError
from cxr_common.files import as_path
from cxr_common.findings.case import Case, CaseKeys, RunModel, decode_case
from cxr_common.findings.case_files import EarlierFiles
from cxr_common.findings.case_names import CaseNames, absolute
from cxr_common.findings.case_writer import CaseWriter, NotForThisImageError, RunWriter
from cxr_common.findings.class_names import check_class_names
from cxr_common.findings.outputs import DEFAULT_OUTPUTS, chosen_writers
from cxr_common.findings.publish import published
from cxr_common.findings.run_folder import RunFolder
from cxr_common.findings.run_images import RunImages
from cxr_common.findings.run_record import FILE_NAME, run_record, summary
from cxr_common.findings.thresholds import ClassThresholds
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
        findings_key: str = "findings",
        heatmap_key: str | None = "heatmap",
        masks_key: str | None = "masks",
        image_key: str = "image",
    ) -> None:
        labels = tuple(thresholds.labels)
        check_class_names(labels)
        has = {name for name, key in (("heatmap", heatmap_key), ("masks", masks_key)) if key is not None}
        self.writers = chosen_writers(outputs, own_outputs or {}, has, labels, dicom or DicomOptions())
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
        record = self.write_record()
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
        found = getattr(self.loader, "failures", ())
        unread = [Failure(str(f.path or ""), str(f.reason), f.action) for f in found]
        failures = self.images.settle(unread)
        # Asked at the end: the writer is made before the weights are loaded.
        details = self.network.describe(self.thresholds.labels) if hasattr(self.network, "describe") else {}
        model = {**self.model.as_dict(), **details}
        record = run_record(model, self.thresholds, self.images.records, failures, self.names.root)
        try:
            if self.images.only_kept:
                return record
            record["images"].extend(self.images.earlier_records(record["model"]))
            for writer in self.writers.of_run:
                writer.write(record, self.output_dir)
        finally:
            self.folder.release()
        return record

    def _start(self, _engine: Engine) -> None:
        # A workflow may run again in the same process.
        self.images.forget()
        self._stopped = ""
        self.folder.claim()

    def _forget_length(self, engine: Engine) -> None:
        # Ignite counts the batches of a loader without a length, and would stop there the next time.
        if not hasattr(self.loader, "__len__"):
            engine.state.epoch_length = None

    def _write_batch(self, engine: Engine) -> None:
        items: Any = engine.state.output
        for item in items:
            self.write_item(item)

    def _record_crash(self, engine: Engine, error: Exception) -> None:
        if not isinstance(error, Exception) or not self.folder.claimed:
            raise error
        # The network itself failed, so the images of this batch have no findings, and those after it were not reached.
        logger.debug("inference stopped", exc_info=error)
        reason = f"inference stopped here ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''})"
        self._stopped = reason
        for path in batch_paths(engine.state.batch, self.keys.image) or [""]:
            if not self.images.is_done(path):
                self.images.fail(str(path or ""), reason, "later images were not reached; mend this and run again")

    def write_item(self, item: Mapping[Hashable, Any]) -> None:
        """Write the files of one image and remember its record; a failure is remembered, not raised."""
        found = item[self.keys.findings]
        if "failure" in found:
            failed = found["failure"]
            self.images.fail(failed["path"], failed["reason"], failed.get("action"))
            return
        path = found["path"]
        try:
            source = absolute(path)
            case = decode_case(item, self.keys, self.names.name(path), source, self.model, self.read_picture)
            self.images.records.append(self._write_case(case, found))
        except InputError as error:
            self.images.fail(path, error.reason, error.action, keep=isinstance(error.__cause__, OSError))
        except OSError as error:
            reason = f"results cannot be written ({error.strerror or error})"
            self.images.fail(path, reason, f"check space and rights of {self.output_dir}", keep=True)
        except Exception as error:
            logger.debug("writing failed", exc_info=error)
            reason = f"results cannot be written ({type(error).__name__}: {error})"
            self.images.fail(path, reason, "report this as a defect")

    def _write_case(self, case: Case, found: Mapping[str, Any]) -> dict[str, Any]:
        files: dict[str, Any] = {}
        left_out: list[str] = []
        with published(self.output_dir, obsolete=self.earlier.of(case.name)) as folder:
            for writer in self.writers.of_cases:
                try:
                    files[writer.kind] = writer.write(case, folder)
                except NotForThisImageError as reason:
                    left_out.append(str(reason))
        for run_writer in self.writers.of_run:
            run_writer.add(case)
        record = {"case": case.name, **found, "path": self.names.relative(found["path"]).as_posix(), "files": files}
        return record | ({"warnings": [*case.found.warnings, *dict.fromkeys(left_out)]} if left_out else {})


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
