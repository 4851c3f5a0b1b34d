"""Ignite handler that writes what a run found: findings.json, and per image heatmap, overlay and masks."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events

from cxr_common.data.loader import batch_paths
from cxr_common.errors import InputError
from cxr_common.files import as_path
from cxr_common.findings.case_names import CaseNames, absolute
from cxr_common.findings.class_names import check_class_names
from cxr_common.findings.heatmap_file import Heatmap, load_heatmap, save_heatmap
from cxr_common.findings.mask_writers import MaskWriter, NiftiMasks
from cxr_common.findings.overlay import network_input_picture, render_overlay
from cxr_common.findings.publish import published
from cxr_common.findings.run_folder import RunFolder
from cxr_common.findings.run_record import FILE_NAME, failure_record, run_record, summary, write_run_record
from cxr_common.findings.thresholds import Thresholds
from cxr_common.networks.weights import weights_sha256
from cxr_common.text import printable

logger = logging.getLogger(__name__)


class FindingsWriter:
    """Write the findings of every image as soon as they are there, and findings.json at the end.

    Runs after :class:`~cxr_common.transforms.localize.LocalizeFindingsd`, or another transform that ends in findings,
    on a decollated batch. The files of an image appear together or not at all; what goes wrong with one image becomes
    its failure record. Files and record are described in docs/findings.md.

    Args:
        output_dir: folder for all files; made where missing.
        thresholds: those that the transform used; they name the classes.
        bundle: name of the bundle.
        version: its version.
        weights: its weights file, for the hash; None where there is none.
        loader: whatever lists unreadable inputs under `failures` (objects with path, reason, action).
        input_dir: case names and paths are relative to it.
        read_picture: path -> picture in [0, 1] as (X, Y) or (1, X, Y), the background of the overlay at the original's
            resolution; None draws on the network input.
        network: where it has ``describe(labels)``, what that returns joins the record's `model`.
        inferer: where it has ``describe()``, as a saliency method has, that joins it too; a warning is logged where the
            thresholds were tuned with another.
        mask_writers: the formats that masks are written in; the one of the kind "masks" is what reports and datalists
            read. None is NIfTI alone.
        findings_key, heatmap_key, masks_key, image_key: where the transform put its results.

    Raises:
        InputError: two classes or mask writers would write the same file, no mask writer is of the kind "masks", or
            results would lie among the radiographs. When the run starts: `output_dir` cannot be written, or another
            run writes into it.
    """

    def __init__(
        self,
        output_dir: str | Path,
        thresholds: Thresholds,
        bundle: str,
        version: str,
        weights: str | Path | None = None,
        loader: Any = None,
        input_dir: str | Path | None = None,
        read_picture: Callable[[str], Any] | None = None,
        network: Any = None,
        inferer: Any = None,
        mask_writers: Sequence[MaskWriter] | None = None,
        findings_key: str = "findings",
        heatmap_key: str = "heatmap",
        masks_key: str = "masks",
        image_key: str = "image",
    ) -> None:
        check_class_names(thresholds.labels)
        self.mask_writers = (NiftiMasks(),) if mask_writers is None else tuple(mask_writers)
        kinds = [writer.kind for writer in self.mask_writers]
        names = [f"case_{suffix}" for suffix in ("heatmap.npz", "overlay.png", *self.more_files.values())]
        names += [name for writer in self.mask_writers for name in writer.names("case", thresholds.labels)]
        if not self.required_kinds <= set(kinds) or len(set(kinds)) < len(kinds) or len(set(names)) < len(names):
            reason = f"mask writers are of the kinds {', '.join(kinds) or 'none'}"
            raise InputError(
                reason,
                "mask_writers",
                "give one of the kind masks, others of other kinds, and files of names of their own",
            )
        self.output_dir = as_path(output_dir)
        source = None if input_dir is None else absolute(input_dir).resolve()
        if source is not None and source.is_dir() and source == self.output_dir.resolve():
            raise InputError("results would lie among the radiographs", self.output_dir, "give another output_dir")
        self.folder = RunFolder(self.output_dir, (FILE_NAME,))
        self.thresholds = thresholds
        self.model: dict[str, Any] = {
            "name": bundle,
            "version": version,
            "weights_sha256": None if weights is None else weights_sha256(weights),
            "labels": list(thresholds.labels),
        }
        self.model |= self._heatmaps_of(inferer)
        self.loader, self.read_picture, self.network = loader, read_picture, network
        self.names = CaseNames(self.output_dir, input_dir)
        self.keys = (findings_key, heatmap_key, masks_key, image_key)
        self.images: list[dict[str, Any]] = []
        self._failures: list[dict[str, Any]] = []
        self._kept: set[str] = set()
        self._stopped = ""

    def _heatmaps_of(self, inferer: Any) -> dict[str, Any]:
        made: dict[str, Any] = inferer.describe() if hasattr(inferer, "describe") else {}
        for key, value in made.items():
            tuned = (self.thresholds.tuned_on or {}).get(key, value)
            if tuned != value:
                logger.warning(
                    "%s: tuned for heatmaps by %s, and these are by %s; tune the thresholds of masks and boxes again",
                    self.thresholds.source,
                    *(" of ".join(str(part) for part in known.values() if part) for known in (tuned, value)),
                )
        return made

    def attach(self, engine: Engine) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._write_batch)
        engine.add_event_handler(Events.COMPLETED, self._forget_length)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._record_crash)

    def finish(self) -> None:
        """Write findings.json, print the summary and, where something failed, end the process.

        Raises:
            SystemExit: after everything is written; with status 2 where inference stopped before the last image, else
                with 1 where single images failed.
        """
        record = self.write_record()
        print(summary(record, self.output_dir))
        if self._stopped:
            print(f"error: {printable(self._stopped)}; later images were not reached", file=sys.stderr)
            raise SystemExit(2)
        if record["failures"]:
            raise SystemExit(1)

    def write_record(self) -> dict[str, Any]:
        """Write findings.json and return its content.

        An image that failed keeps no files of an earlier run, but where it is the writing that failed.

        Raises:
            InputError: it cannot be written.
        """
        found = getattr(self.loader, "failures", ())
        every = [*self._failures, *(failure_record(f.path, f.reason, f.action) for f in found)]
        for failure in every:
            if failure["path"]:
                case, kept = self.names.name(failure["path"]), failure["path"] in self._kept
                failure["path"] = self.names.relative(failure["path"]).as_posix()
                for name in () if kept else self._existing(case):
                    with suppress(OSError):
                        (self.output_dir / name).unlink(missing_ok=True)
        every += self._vanished()
        # Asked at the end: the writer is made before the weights are loaded.
        details = self.network.describe(self.thresholds.labels) if hasattr(self.network, "describe") else {}
        model = {**self.model, **details}
        record = run_record(model, self.thresholds, self.images, every, self.names.root)
        try:
            write_run_record(record, self.output_dir)
        finally:
            self.folder.release()
        return record

    def _vanished(self) -> list[dict[str, Any]]:
        """Failures of the images whose files are no longer there, which leave `images`."""
        gone = [
            image for image in self.images if not all((self.output_dir / n).is_file() for n in _names(image["files"]))
        ]
        self.images = [image for image in self.images if image not in gone]
        reason = "its results were removed while the run went on"
        return [failure_record(image["path"], reason, "leave the output folder alone and run again") for image in gone]

    def _start(self, _engine: Engine) -> None:
        # A workflow may run again in the same process.
        self.images, self._failures, self._stopped = [], [], ""
        self._kept = set()
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
        paths = batch_paths(engine.state.batch, self.keys[3])
        done = {record["path"] for record in self.images}
        for path in paths or [""]:
            if self.names.relative(path).as_posix() not in done:
                action = "later images were not reached; mend this and run again"
                self._failures.append(failure_record(path, reason, action))

    def write_item(self, item: Mapping[Any, Any]) -> None:
        """Write the files of one image and remember its record; a failure is remembered, not raised."""
        findings_key, heatmap_key, masks_key, image_key = self.keys
        found = item[findings_key]
        if "failure" in found:
            self._failures.append(dict(found["failure"]))
            return
        try:
            heatmap, masks = (item[heatmap_key], item[masks_key]) if self.has_heatmap else (None, {})
            self.images.append(self._write_case(found, heatmap, masks, item[image_key], item))
        except InputError as error:
            self._failures.append(failure_record(found["path"], error.reason, error.action))
            if isinstance(error.__cause__, OSError):
                self._kept.add(found["path"])
        except OSError as error:
            self._kept.add(found["path"])
            reason = f"results cannot be written ({error.strerror or error})"
            self._failures.append(failure_record(found["path"], reason, f"check space and rights of {self.output_dir}"))
        except Exception as error:
            logger.debug("writing failed", exc_info=error)
            reason = f"results cannot be written ({type(error).__name__}: {error})"
            self._failures.append(failure_record(found["path"], reason, "report this as a defect"))

    def _write_case(
        self,
        found: Mapping[str, Any],
        heatmap: Any,
        masks: Mapping[str, np.ndarray],
        image: Any,
        item: Mapping[Any, Any],
    ) -> dict[str, Any]:
        path = found["path"]
        case = self.names.name(path)
        files: dict[str, Any] = {"heatmap": f"{case}_heatmap.npz"} if self.has_heatmap else {}
        files["overlay"] = f"{case}_overlay.png"
        record = {"case": case, **found, "path": self.names.relative(path).as_posix(), "files": files}
        picture = network_input_picture(image) if self.read_picture is None else self.read_picture(path)
        if self.read_picture is not None and tuple(picture.shape[-2:]) != tuple(found["size"]):
            raise InputError("the file changed while it was used", path, "run again when it is whole")
        overlay = render_overlay(picture, record, heatmap, masks, self.model)

        with published(self.output_dir, obsolete=self._existing(case)) as folder:
            if self.has_heatmap:
                content = Heatmap(
                    np.asarray(heatmap),
                    self.thresholds.labels,
                    tuple(found["size"]),
                    self.model["name"],
                    self.model["version"],
                    self.model["weights_sha256"] or "",
                    str(absolute(path)),
                )
                save_heatmap(content, folder / files["heatmap"])
            overlay.save(folder / files["overlay"], compress_level=1)  # half the time of the default, a quarter larger
            in_order = {label: masks[label] for label in self.thresholds.labels if label in masks}
            for writer in self.mask_writers:
                files[writer.kind] = writer.write(case, found, in_order, folder)
            for kind, suffix in self.more_files.items():
                files[kind] = f"{case}_{suffix}"
                self.write_more(kind, item, folder / files[kind])
        return record

    #: Whether there are heatmaps and masks; a subclass for boxes alone has none.
    has_heatmap: bool = True
    #: Kinds of mask writers that a run must have.
    required_kinds: frozenset[str] = frozenset({"masks"})
    #: Kinds of files a subclass writes for each image besides, and their suffixes.
    more_files: Mapping[str, str] = {}

    def write_more(self, kind: str, item: Mapping[Any, Any], path: Path) -> None:
        """Write one of :attr:`more_files`: nothing here, where there are none."""

    def _existing(self, case: str) -> list[str]:
        """Files of this case from an earlier run, perhaps of a model with other classes."""
        try:
            labels = {*self.thresholds.labels, *load_heatmap(self.output_dir / f"{case}_heatmap.npz").labels}
        except InputError:
            labels = set(self.thresholds.labels)
        names = [f"{case}_heatmap.npz", f"{case}_overlay.png"]
        names += [name for writer in self.mask_writers for name in writer.names(case, labels)]
        names += [f"{case}_{suffix}" for suffix in self.more_files.values()]
        return [name for name in names if (self.output_dir / name).is_file()]


def _names(files: Any) -> list[str]:
    """Every file name in a record's `files`."""
    if isinstance(files, Mapping):
        return [name for value in files.values() for name in _names(value)]
    return [files] if isinstance(files, str) else []
