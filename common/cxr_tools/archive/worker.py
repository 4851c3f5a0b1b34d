"""What a worker does with an image: read it, run the network, find what that shows. Each step is a step of the bundle.

Bad images end as rows with an error. What is not the image's fault (a full disk, a PACS that is away) is no row:
the image is to be done another time.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from monai.data import MetaTensor

from cxr_common.data import RadiographWarning, read_picture
from cxr_common.data.collected_warnings import ignored_warnings
from cxr_common.data.loader import failure_from
from cxr_common.errors import InputError, causes, find_input_error, own_input_errors
from cxr_common.findings.case import Case, decode_case
from cxr_common.findings.case_files import EarlierFiles
from cxr_common.findings.case_job import CaseJob, NotWritten
from cxr_common.findings.run_record import file_names
from cxr_common.loading import LoadedBundle
from cxr_tools.archive.parts import sha256
from cxr_tools.archive.rows import failed_row, found_row, model_columns, relative_files
from cxr_tools.archive.source import Source, dicom_facts
from cxr_tools.pacs.patience import NotAllowed, Unreachable
from cxr_tools.pacs.quiet import alias, quiet_libraries

#: An image between two steps: ``image`` and, as far as they are known, ``facts``, ``item``, ``pred``; at the end
#: ``row``, or ``later`` with the reason why there is none.
State = dict[str, Any]
_SHORT_OF = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


@dataclass(frozen=True)
class Artefacts:
    """Which files are written besides the rows.

    Args:
        kinds: names of a bundle's ``outputs``; nothing is written where there is none.
        of: "positives", "all", or a share of the images, such as "0.01", always of the same ones.
        key: makes names of files from those of images; without it nobody can tell of which image a file is.
    """

    kinds: tuple[str, ...] = ()
    of: str = "positives"
    key: bytes = field(default=b"", repr=False)

    def wanted(self, image: str, case: Case) -> bool:
        """Whether files of an image are written."""
        if not self.kinds or self.of == "all":
            return bool(self.kinds)
        return bool(case.present) if self.of == "positives" else int(sha256(image)[:13], 16) / 16**13 < float(self.of)


@dataclass(frozen=True)
class Job:
    """What every worker knows.

    Args:
        bundle: its folder.
        options: entries of its inference.json to replace, as JSON.
        source: of the images.
        output: folder of the archive's results.
        artefacts: files besides the rows.
    """

    bundle: Path
    options: str
    source: Source
    output: Path
    artefacts: Artefacts


def bundle_of(job: Job, device: str = "cpu") -> LoadedBundle:
    """The bundle of a job, loaded once in a process."""
    return _bundle_on(job, device)


@lru_cache(maxsize=2)
def _bundle_on(job: Job, device: str) -> LoadedBundle:
    quiet_libraries()
    return LoadedBundle(job.bundle, device, json.loads(job.options))


@lru_cache(maxsize=1)
def writing_of(job: Job) -> CaseJob:
    """How the files of an image are written, by the bundle's own writers.

    Raises:
        InputError: the bundle has no such kinds of files.
    """
    parser = bundle_of(job).config
    parser.update(
        {
            "output_dir": str(job.output / "files"),
            "outputs": ["json", *job.artefacts.kinds],
            "deterministic_uids": True,  # a step that is done twice makes the same objects
            "dataset#data": [],
            **{f"findings_writer#{name}": None for name in ("loader", "input_dir", "made_from", "network")},
        }
    )
    with own_input_errors():
        writer: CaseJob = parser.get_parsed_content("findings_writer").job
    return writer


def read(job: Job, image: str) -> State:
    """The first step: read an image."""
    state: State = {"image": image, "facts": {}}
    try:
        bundle = bundle_of(job)
    except Exception as error:
        return state | {"later": f"the bundle cannot be loaded ({_words(error)})"}
    state["facts"] = job.source.uids(image)
    try:
        with ignored_warnings(RadiographWarning), job.source.file(image) as path:
            try:
                item = bundle.read(path)
            except Exception:
                with suppress(Exception):  # it may be no DICOM file; one that is refused can be found by its UIDs
                    state["facts"] |= dicom_facts(path)
                raise
            meta = item["image"].meta if isinstance(item["image"], MetaTensor) else {}
            state["facts"] |= dicom_facts(path) if meta.get("file_format") == "DICOM" else {}
            return state | {"item": item}
    except Exception as error:
        return state | _failed(error, image)


def predict(job: Job, states: Sequence[State], device: str) -> list[State]:
    """The second step: run the network on the images that could be read, in one batch where they have one shape."""
    whole = [state for state in states if "item" in state]
    shapes = {tuple(state["item"]["image"].shape) for state in whole}
    try:
        bundle = bundle_of(job, device)
        for batch in [whole] if len(shapes) == 1 else [[state] for state in whole]:
            for state, pred in zip(batch, bundle.predict([s["item"] for s in batch]), strict=True):
                state["pred"] = pred
    except Exception as error:
        for state in whole:
            state["later"] = f"the network cannot be run ({_words(error)})"
    return list(states)


def conclude(job: Job, state: State) -> State:
    """The last step: find what the network's output shows, write files where they are wanted, and make the row."""
    if "pred" in state and "later" not in state:
        try:
            with ignored_warnings(RadiographWarning):
                state["row"] = _found(job, state)
        except Exception as error:
            state |= _failed(error, state["image"])
    if "later" in state:
        return {"image": state["image"], "later": state["later"]}
    known = {"image": state["image"], **state["facts"], **model_columns(bundle_of(job).model)}
    return {"image": state["image"], "row": known | state["row"]}


def _found(job: Job, state: State) -> dict[str, Any]:
    bundle, image = bundle_of(job), state["image"]
    item = bundle.conclude(state["item"], state["pred"])
    source = Path(item[bundle.keys.findings]["path"])
    case = decode_case(item, bundle.keys, source.stem, source, bundle.model, read_picture)
    files, left_out = _write(job, image, item) if job.artefacts.wanted(image, case) else ([], ())
    return found_row(case, files, [*case.found.warnings, *left_out])


def _write(job: Job, image: str, item: Mapping[Any, Any]) -> tuple[list[str], tuple[str, ...]]:
    """Write an image's files; a file that was fetched for the first step is fetched again."""
    keys, writing = bundle_of(job).keys, writing_of(job)
    name = alias(image, job.artefacts.key)
    folder = writing.folder / name[1:3]  # so that no folder holds millions
    writing = replace(
        writing, folder=folder, earlier=EarlierFiles(folder, writing.writers.of_cases, writing.model.labels)
    )
    with job.source.file(image) as path:
        findings = {**item[keys.findings], "path": str(path)}
        written = writing({**item, keys.findings: findings}, name, read_picture)
    if isinstance(written, NotWritten):
        kind = _NotNow if written.keep else InputError
        raise kind(written.failure.reason, image, written.failure.action)
    return relative_files(file_names(written.files), folder, job.output), written.left_out


class _NotNow(InputError):
    """Not the image's fault."""


def _failed(error: Exception, image: str) -> State:
    short = any(isinstance(cause, OSError) and cause.errno in _SHORT_OF for cause in causes(error))
    if short or isinstance(find_input_error(error), (Unreachable, NotAllowed, _NotNow)):
        return {"later": _words(error)}
    return {"row": failed_row(failure_from(error, image))}


def _words(error: Exception) -> str:
    """What is shown; the system's own words alone, for it names files."""
    known = find_input_error(error)
    if known is not None:
        return known.reason + (f"; {known.action}" if known.action else "")
    systems = [cause.strerror for cause in causes(error) if isinstance(cause, OSError) and cause.strerror]
    return systems[0] if systems else f"{type(error).__name__}: {error}".splitlines()[0]
