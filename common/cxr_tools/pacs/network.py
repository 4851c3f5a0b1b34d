"""Results to a PACS by C-STORE."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import (
    ComprehensiveSRStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)
from pynetdicom import AE

from cxr_common.errors import InputError
from cxr_tools.pacs.patience import FIRST_WAIT, LONGEST_WAIT, Unreachable

RESULT_CLASSES = (
    ComprehensiveSRStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)
_ADDRESS = re.compile(r"(?P<aet>[^@\\]{1,16})@(?P<host>[^:@]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class NetworkPacs:
    """A PACS behind an AE title, as ``AETITLE@host:port`` names it.

    Attributes:
        aet: its AE title.
        host, port: where it listens.
        own_aet: ours.
        patience: seconds that it may be away.
        sleep: how to wait.
    """

    aet: str
    host: str
    port: int
    own_aet: str = "CXRBUNDLES"
    patience: float = 120
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def parse(cls, address: str, own_aet: str, patience: float) -> NetworkPacs:
        """Read an address.

        Raises:
            InputError: it is none.
        """
        match = _ADDRESS.fullmatch(address)
        if not match or not 0 < int(match["port"]) < 65536:
            raise InputError(f"is {address!r}", "--to", "give AETITLE@host:port, or the address of a DICOMweb service")
        return cls(match["aet"], match["host"].strip("[]"), int(match["port"]), own_aet, patience)

    def store(self, files: Sequence[Path]) -> None:
        """Send files; one that is there already is the PACS' to keep or to replace by the same."""
        waited, pause = 0.0, FIRST_WAIT
        left = list(files)
        while left:
            reason = self._send(left)
            if not left:
                return
            if waited >= self.patience:
                raise Unreachable(f"{reason} for {waited:.0f} s", "PACS", "run again when it is back")
            self.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST_WAIT)

    def _send(self, left: list[Path]) -> str:
        """Send files until one fails for now; those that arrived leave the list. Returns what failed."""
        entity = AE(ae_title=self.own_aet)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
        entity.connection_timeout = 10
        for sop_class in RESULT_CLASSES:
            entity.add_requested_context(sop_class)
        association = entity.associate(self.host, self.port, ae_title=self.aet)
        if not association.is_established:
            return "the PACS refuses the association" if association.is_rejected else "the PACS cannot be reached"
        try:
            while left:
                dataset = pydicom.dcmread(left[0])
                try:
                    status = association.send_c_store(dataset)
                except ValueError as error:
                    reason = f"the PACS takes no results of kind {dataset.Modality}"
                    raise InputError(reason, "PACS", "leave the kind out of --outputs") from error
                if "Status" not in status:
                    return "the PACS broke the connection"
                code = status.Status
                if code == 0x0000 or code in (0xB000, 0xB006, 0xB007):
                    left.pop(0)
                elif code & 0xFF00 == 0xA700:
                    return "the PACS has no room"
                else:
                    reason = f"the PACS refuses a result of kind {dataset.Modality} (status {code:#06x})"
                    raise InputError(reason, "PACS", "see the PACS' own log")
        finally:
            association.release()
        return ""
