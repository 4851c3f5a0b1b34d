"""Where an archive's images come from: an image as a file on the machine that works on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cxr_common.data.collected_warnings import ignored_warnings
from cxr_common.data.dicom import refuse_other_views
from cxr_common.data.dicom_elements import text
from cxr_common.data.dicom_file import read_dataset

if TYPE_CHECKING:
    from cxr_tools.pacs.web import WebPacs

_INSTANCE = re.compile(r"studies/([0-9.]+)/series/([0-9.]+)/instances/([0-9.]+)")


def is_address(text: str) -> bool:
    """Whether what is given as input is a PACS."""
    return text.startswith(("http://", "https://"))


def web_image(study: str, series: str, instance: str) -> str:
    """What an instance of a PACS is called here: its path below the DICOMweb address."""
    return f"studies/{study}/series/{series}/instances/{instance}"


@dataclass(frozen=True)
class Source:
    """Files, or a PACS with DICOMweb.

    Args:
        url: of the PACS; None for files. User and password come from the environment of the machine that asks.
        ca: certificate that the PACS' own is signed by.
        patience: seconds that the PACS may be away.
    """

    url: str | None = None
    ca: Path | None = None
    patience: float = 120

    @contextmanager
    def file(self, image: str) -> Iterator[Path]:
        """A file of an image; one that was fetched for this is removed afterwards.

        Args:
            image: a path, or what :func:`web_image` gives.

        Raises:
            InputError: the PACS does not give it, or it is no frontal view.
        """
        if self.url is None:
            yield Path(image)
            return
        pacs, where = self._pacs(), _uids(image)
        with TemporaryDirectory(prefix="cxr-archive-") as folder:
            path = Path(folder) / "image.dcm"
            refuse_other_views(pacs.header(*where), path)
            pacs.fetch(*where).save_as(path, enforce_file_format=True)
            yield path

    def uids(self, image: str) -> dict[str, Any]:
        """The columns that the name of an image of a PACS holds; of a file it holds none."""
        if self.url is None:
            return {}
        return dict(zip(("study_uid", "series_uid", "instance_uid"), _uids(image), strict=True))

    def date(self, image: str) -> date | None:
        """The study date of an image; None where it has none, or no header that can be read.

        Raises:
            InputError: the PACS does not answer.
        """
        if self.url is not None:
            return study_date(self._pacs().header(*_uids(image)))
        with ignored_warnings():
            try:
                return study_date(read_dataset(Path(image), pixels=False))
            except Exception:  # whatever pydicom makes of a file that may be none of its own
                return None

    def _pacs(self) -> WebPacs:
        assert self.url is not None
        return _pacs(self.url, self.ca, self.patience)


def dicom_facts(path: Path) -> dict[str, Any]:
    """UIDs and study date of a DICOM file, as columns."""
    dataset = read_dataset(path, pixels=False)
    uids = {f"{name.lower()}_uid": text(dataset, f"{name}InstanceUID") or None for name in ("Study", "Series")}
    return {**uids, "instance_uid": text(dataset, "SOPInstanceUID") or None, "study_date": study_date(dataset)}


def study_date(dataset: Any) -> date | None:
    """StudyDate of a data set."""
    try:
        return datetime.strptime(text(dataset, "StudyDate"), "%Y%m%d").date()
    except ValueError:
        return None


@cache
def _pacs(url: str, ca: Path | None, patience: float) -> WebPacs:
    from cxr_tools.pacs.credentials import make_session
    from cxr_tools.pacs.web import WebPacs

    return WebPacs(url, make_session(url, ca), patience)


def _uids(image: str) -> tuple[str, str, str]:
    match = _INSTANCE.fullmatch(image)
    assert match, "not an image of a PACS"
    return match[1], match[2], match[3]
