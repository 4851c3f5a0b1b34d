"""The kinds of DICOM results, and the one way to make them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from cxr_common.data.collected_warnings import ignored_warnings
from cxr_common.data.pydicom_compat import Dataset
from cxr_common.dicom_results.image_result import ImageResult
from cxr_common.dicom_results.result_uids import ResultUids
from cxr_common.dicom_results.source_image import SourceImage
from cxr_common.errors import InputError

#: Kind, as the config line `outputs` names it -> module and function that make it.
KINDS = {
    "dicom_seg": ("seg", "make_seg"),
    "dicom_sr": ("structured_report", "make_report"),
    "dicom_gsps": ("gsps", "make_gsps"),
    "dicom_sc": ("secondary_capture", "make_secondary_capture"),
}


def possible_kinds(bundle: Path) -> tuple[str, ...]:
    """The kinds of results that a bundle can make: a detector has no masks to segment by.

    Raises:
        InputError: it is no bundle.
    """
    config = bundle / "configs" / "inference.json"
    if not config.is_file():
        raise InputError("no bundle with configs/inference.json", bundle, "check --bundle")
    outputs = ConfigParser.load_config_file(config).get("outputs", ())
    return tuple(kind for kind in KINDS if kind != "dicom_seg" or "nifti" in outputs)


def require_highdicom() -> None:
    """Check that what DICOM results need is installed.

    Raises:
        InputError: it is not; names the command that installs it.
    """
    try:
        import_module("highdicom")
    except ImportError as error:
        reason = f"DICOM results need highdicom ({error})"
        raise InputError(reason, "outputs", 'pip install "highdicom==0.28.2"') from error
    logging.getLogger("highdicom").setLevel(logging.CRITICAL)  # it logs UIDs


def make_object(
    kind: str, result: ImageResult, source: SourceImage, uids: ResultUids, without_identity: bool = False
) -> Dataset:
    """Make one DICOM object, which its ``save_as`` writes.

    Args:
        kind: one of :data:`KINDS`.
        result: the findings.
        source: the radiograph they are of, from :func:`read_source`.
        uids: of the run.
        without_identity: whether it loses the patient's identity, see :mod:`cxr_common.dicom_results.deidentify`.

    Raises:
        NoResult: this result has nothing that the kind could show; says why.
        InputError: highdicom is missing, or result and source are of different sizes.
    """
    require_highdicom()
    if source.size != tuple(result.size):
        raise InputError("the file changed while it was used", "source", "run again when it is whole")
    module, name = KINDS[kind]
    make: Callable[[ImageResult, SourceImage, ResultUids], Any] = getattr(
        import_module(f"cxr_common.dicom_results.{module}"), name
    )
    with ignored_warnings():  # of values of the source, which stay as they are
        made = make(result, source, uids)
        if without_identity:
            made = import_module("cxr_common.dicom_results.deidentify").deidentify(made, uids.key)
        return made
