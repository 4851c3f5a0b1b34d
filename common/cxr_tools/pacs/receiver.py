"""A C-STORE receiver whose queue is the ledger: what it has confirmed is on the disk."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, evt

from cxr_common.errors import InputError
from cxr_common.files import sweep_temporary
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.pull import IMAGES

_VERIFICATION = "1.2.840.10008.1.1"
SUCCESS, OUT_OF_RESOURCES, NOT_UNDERSTOOD, DUPLICATE = 0x0000, 0xA700, 0xC000, 0x0111


@dataclass(frozen=True)
class Limits:
    """What a receiver takes.

    Attributes:
        megabytes: of one instance.
        associations: at a time.
        free_megabytes: that the disk keeps.
        callers: AE titles that may call; empty is any.
    """

    megabytes: int = 256
    associations: int = 8
    free_megabytes: int = 512
    callers: tuple[str, ...] = ()


class Receiver:
    """Listens, and notes each instance as "here" once its file is safely written.

    Args:
        ledger: the queue.
        work: work folder.
        aet: our AE title.
        host, port: where to listen; port 0 takes a free one.
        limits: what is taken.
    """

    def __init__(self, ledger: Ledger, work: Path, aet: str, host: str, port: int, limits: Limits) -> None:
        self.ledger, self.folder, self.limits = ledger, work / IMAGES, limits
        self.arrived = threading.Event()
        self._received: dict[Any, int] = {}
        self._entity = AE(ae_title=aet)
        self._entity.maximum_associations = limits.associations
        self._entity.network_timeout = self._entity.acse_timeout = self._entity.dimse_timeout = 60
        self._entity.require_called_aet = True
        self._entity.require_calling_aet = list(limits.callers)
        for sop_class in (
            ComputedRadiographyImageStorage,
            DigitalXRayImageStorageForPresentation,
            SecondaryCaptureImageStorage,
        ):
            self._entity.add_supported_context(sop_class, ALL_TRANSFER_SYNTAXES)
        self._entity.add_supported_context(_VERIFICATION)
        self._address = (host, port)
        self._server: Any = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen, in threads of its own.

        Raises:
            InputError: the port is taken, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot be made ({error.strerror})", self.folder, "give another --work folder") from None
        sweep_temporary(self.folder)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DATA_RECV, self._count),
            (evt.EVT_CONN_CLOSE, self._forget),
        ]
        try:
            self._server = self._entity.start_server(self._address, block=False, evt_handlers=handlers)
        except OSError as error:
            raise InputError(
                f"cannot be listened on ({error.strerror})", f"port {self._address[1]}", "give another"
            ) from None

    def stop(self) -> None:
        """Stop; instances that are being received are lost to us, and their senders know."""
        if self._server is not None:
            self._server.shutdown()

    def _count(self, event: Any) -> None:
        """End an association that sends more than one instance may have, before memory is full."""
        number = self._received.get(event.assoc, 0) + len(event.data)
        self._received[event.assoc] = number
        if number > (self.limits.megabytes + 1) << 20:
            event.assoc.abort()

    def _forget(self, event: Any) -> None:
        self._received.pop(event.assoc, None)

    def _store(self, event: Any) -> int:
        self._received[event.assoc] = 0
        request = event.request
        if request.DataSet.getbuffer().nbytes > self.limits.megabytes << 20:
            return OUT_OF_RESOURCES
        try:
            header = event.dataset
            instance, series, study = (
                str(header[keyword].value) for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
            )
            content = event.encoded_dataset()
        except Exception:  # what pydicom makes of damaged data
            return NOT_UNDERSTOOD
        try:
            if shutil.disk_usage(self.folder).free < (self.limits.free_megabytes << 20) + len(content):
                return OUT_OF_RESOURCES
            path = self.folder / f"{self.ledger.name(instance)}.dcm"
            state = self.ledger.state(instance)
            if state == "pushed" or (state not in (None, "found", "refused") and path.is_file()):
                # The results are of the first copy, which stays.
                return DUPLICATE if _other_pixels(path, header, event.context.transfer_syntax) else SUCCESS
            _write(path, content)
            self.ledger.add(instance, series, study, "here")
            if state is not None:  # known without a file, or by a copy that could not be used
                self.ledger.note(instance, "here")
        except (InputError, OSError):
            return OUT_OF_RESOURCES
        self.arrived.set()
        return SUCCESS


def _other_pixels(path: Path, dataset: Dataset, syntax: str) -> bool:
    """Whether two copies of an instance differ in their pixels; whoever routes images may change the rest."""
    try:
        known = pydicom.dcmread(path)
        if known.file_meta.TransferSyntaxUID != syntax:
            return False  # the same pixels in another coding, as far as one can tell
        return bool(known.get("PixelData") != dataset.get("PixelData"))
    except Exception:  # what pydicom makes of damaged data
        return False


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there even when the power fails: it is confirmed next, and not sent again."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def callers_of(text: str) -> tuple[str, ...]:
    """AE titles of a list by commas.

    Raises:
        InputError: one is too long.
    """
    names: Sequence[str] = [name.strip() for name in text.split(",") if name.strip()]
    if not all(is_title(name) for name in names):
        raise InputError(f"is {text!r}", "--allow", "give AE titles of at most 16 ASCII characters, by commas")
    return tuple(names)


def is_title(name: str) -> bool:
    """Whether a text is an AE title (PS3.5 6.2): 1 to 16 printable ASCII characters that are not all spaces."""
    return 1 <= len(name) <= 16 and bool(name.strip()) and name.isascii() and name.isprintable() and "\\" not in name
