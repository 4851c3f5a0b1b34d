"""The three services of a DICOMweb PACS: query (QIDO), fetch (WADO), store (STOW)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydicom
import requests
from dicomweb_client.web import DICOMwebClient
from pydicom.dataset import Dataset

from cxr_common.errors import InputError
from cxr_tools.pacs.patience import patiently

#: Studies asked for at a time.
PAGE = 100
#: As it is stored, compressed or not.
_AS_STORED = (("application/dicom", "*"),)


class WebPacs:
    """A PACS behind a DICOMweb address. Whatever passes is tried again for a while.

    Args:
        url: of the service, such as ``http://localhost:8042/dicom-web``.
        session: with credentials.
        patience: seconds that it may be away.
    """

    def __init__(self, url: str, session: requests.Session, patience: float = 120) -> None:
        self.patience = patience
        self._client = DICOMwebClient(url.rstrip("/"), session)
        self._client.set_http_retry_params(retry=False)

    def studies(self, filters: Mapping[str, str]) -> Iterator[str]:
        """UIDs of the studies that match."""
        offset, known = 0, set()
        while True:
            page = self._ask(
                lambda: self._client.search_for_studies(search_filters=dict(filters), limit=PAGE, offset=offset)  # noqa: B023
            )
            uids = [uid for uid in _values(page, "0020000D") if uid not in known]
            yield from uids
            known.update(uids)
            offset += PAGE
            if not uids or len(page) < PAGE:  # some ignore offset, and give the same page again
                return

    def series(self, study: str, filters: Mapping[str, str]) -> list[str]:
        """UIDs of the series of a study that match."""
        found = self._ask(lambda: self._client.search_for_series(study, search_filters=dict(filters)))
        return _values(found, "0020000E")

    def instances(self, study: str, series: str) -> list[str]:
        """UIDs of the instances of a series."""
        return _values(self._ask(lambda: self._client.search_for_instances(study, series)), "00080018")

    def has(self, study: str, series: str, instance: str) -> bool:
        """Whether an instance is there."""
        filters = {"SOPInstanceUID": instance, "SeriesInstanceUID": series}
        found = self._ask(lambda: self._client.search_for_instances(study, search_filters=filters))
        return instance in _values(found, "00080018")

    def header(self, study: str, series: str, instance: str) -> Dataset:
        """What an instance says of itself, without pixels."""
        found = self._ask(lambda: self._client.retrieve_instance_metadata(study, series, instance))
        return Dataset.from_json(found, bulk_data_uri_handler=lambda *_: None)

    def fetch(self, study: str, series: str, instance: str) -> Dataset:
        """An instance, compressed as it is stored."""
        return self._ask(lambda: self._client.retrieve_instance(study, series, instance, media_types=_AS_STORED))

    def store(self, files: Sequence[Path]) -> None:
        """Store results that are not there yet.

        Raises:
            InputError: the PACS refuses one.
        """
        for file in files:
            dataset = pydicom.dcmread(file)
            where = (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
            if self.has(*where):
                continue
            answer = self._ask(lambda: self._client.store_instances([dataset]))  # noqa: B023
            failed = answer.get("FailedSOPSequence") or []
            if failed:
                code = failed[0].get("FailureReason", 0)
                reason = f"the PACS refuses a result of kind {dataset.Modality} (reason {code:#06x})"
                raise InputError(reason, "PACS", "see the PACS' own log")

    def _ask(self, call: Any) -> Any:
        def usable() -> Any:
            try:
                return call()
            except (ValueError, KeyError) as error:
                if isinstance(error, requests.RequestException):
                    raise
                raise requests.exceptions.InvalidJSONError(type(error).__name__) from None

        return patiently(usable, self.patience)


def _values(found: Any, tag: str) -> list[str]:
    values = [(item.get(tag) or {}).get("Value") or [None] for item in found or ()]
    return [str(value[0]) for value in values if value[0]]
