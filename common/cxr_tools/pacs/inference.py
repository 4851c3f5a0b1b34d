"""A bundle on images of the ledger, in a process of its own as its users run it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxr_common.errors import InputError
from cxr_common.files import file_sha256
from cxr_common.findings import read_findings
from cxr_common.findings.case_job import SPACE_OR_RIGHTS
from cxr_common.findings.run_record import file_names
from cxr_common.json_files import read_json
from cxr_tools.pacs.ledger import Entry, Ledger
from cxr_tools.pacs.pull import image_path
from cxr_tools.workflow import run_workflow, workflow_command

RESULTS = "results"


@dataclass(frozen=True)
class Bundle:
    """What is run on images.

    Attributes:
        folder: of the bundle.
        outputs: kinds of DICOM results.
        deidentify: whether results lose the patient's identity.
    """

    folder: Path
    outputs: tuple[str, ...]
    deidentify: bool = False

    def line(self) -> str:
        """Which bundle, weights and outputs, on one line: equal lines make equal results.

        Raises:
            InputError: there is no metadata or no weights.
        """
        metadata = read_json(self.folder / "configs" / "metadata.json", "check --bundle")
        weights = file_sha256(self.folder / "models" / "model.pt", "check --bundle")[:8]
        outputs = ",".join(sorted(self.outputs)) + (", deidentified" if self.deidentify else "")
        return f"{self.folder.name} {metadata.get('version')} (weights {weights}; {outputs})"

    def __call__(self, images: Path, results: Path) -> None:
        """Write the results of a folder of images.

        Raises:
            InputError: the bundle does not run.
        """
        config, log = self.folder / "configs" / "inference.json", results.with_suffix(".log")
        settings = {
            "dataset_dir": images,
            "output_dir": results,
            "outputs": str(["json", "png", *self.outputs]),
            "deterministic_uids": True,
            "deidentify": self.deidentify,
        }
        log.parent.mkdir(parents=True, exist_ok=True)
        status, reason = run_workflow(workflow_command(self.folder, [config], settings), log)
        if status == 2 or not (results / "findings.json").is_file():
            raise InputError(reason or f"inference ended with status {status}", self.folder, f"see {log}")


Infer = Callable[[Path, Path], None]


def infer_batch(infer: Infer, ledger: Ledger, work: Path, entries: Sequence[Entry]) -> None:
    """Run a bundle on instances that are here, and note what became of each.

    Args:
        infer: folder of images, folder for results: a :class:`Bundle`.
        ledger: the ledger.
        work: work folder.
        entries: the instances.

    Raises:
        InputError: the bundle does not run, or results of an image have no room; such instances stay as they are.
    """
    batch = _new_folder(work / RESULTS / time.strftime("batch-%Y%m%d-%H%M%S-"))
    images = batch.with_name(f".{batch.name}-images")
    images.mkdir()
    try:
        for entry in entries:
            _link(image_path(work, entry), images / f"{entry.name}.dcm")
        infer(images, batch)
        record = read_findings(batch)
        lacking = [f for f in record["failures"] if (f["action"] or "").startswith(SPACE_OR_RIGHTS)]
        by_name = {entry.name: entry for entry in entries}
        for image in record["images"]:
            entry = by_name[Path(image["path"]).stem]
            kinds = {kind: names for kind, names in image["files"].items() if kind.startswith("dicom_")}
            ledger.inferred(entry.instance, [batch / name for name in file_names(kinds)])
        for failure in record["failures"]:
            if failure not in lacking and (found := by_name.get(Path(failure["path"]).stem)) is not None:
                ledger.note(found.instance, "refused", failure["reason"])
        if lacking:
            if not record["images"]:
                shutil.rmtree(batch, ignore_errors=True)
            raise InputError(lacking[0]["reason"], work, "make room, or give rights; then it goes on")
    finally:
        shutil.rmtree(images, ignore_errors=True)


def sweep_images(work: Path) -> None:
    """Remove the links to images that a killed command left; nobody else may work in the folder."""
    for folder in (work / RESULTS).glob(".batch-*-images"):
        shutil.rmtree(folder, ignore_errors=True)


def _new_folder(wanted: Path) -> Path:
    for number in range(10_000):
        folder = wanted.with_name(f"{wanted.name}{number}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            continue
    raise InputError("has no free name for results", wanted.parent, "give another --work folder")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
