"""Orthanc as an ordinary process on loopback, with its data in a folder of the test."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests

USER, PASSWORD = "reader", "not-a-secret"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
PROGRAM = shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/bin") or ""
HOW = "Orthanc with DICOMweb is missing: apt-get install orthanc orthanc-dicomweb"
needs_orthanc = pytest.mark.skipif(not (PROGRAM and PLUGIN.exists()), reason=HOW)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Orthanc:
    """A PACS.

    Args:
        folder: for its configuration and data.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.dicom_port = folder, free_port(), free_port()
        self.process: subprocess.Popen | None = None
        folder.mkdir(parents=True)
        configuration = {
            "StorageDirectory": str(folder / "data"),
            "IndexDirectory": str(folder / "data"),
            "Plugins": [str(PLUGIN)],
            "HttpPort": self.port,
            "DicomAet": "ORTHANC",
            "DicomPort": self.dicom_port,
            "DicomServerEnabled": True,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowStore": True,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: PASSWORD},
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def start(self) -> None:
        log = open(self.folder / "orthanc.log", "ab")  # noqa: SIM115 - the process has it
        self.process = subprocess.Popen([PROGRAM, str(self.folder / "orthanc.json")], stdout=log, stderr=log)
        for _ in range(200):
            try:
                self.rest("/system")
                return
            except requests.RequestException:
                assert self.process.poll() is None, (self.folder / "orthanc.log").read_text()
                time.sleep(0.1)
        raise AssertionError("Orthanc does not answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def rest(self, path: str, data: bytes | None = None) -> Any:
        """Orthanc's own interface, which is not DICOMweb: a second opinion on what is stored."""
        method, address = "GET" if data is None else "POST", f"http://127.0.0.1:{self.port}{path}"
        found = requests.request(method, address, auth=(USER, PASSWORD), timeout=30, data=data)
        found.raise_for_status()
        return found.json() if "json" in found.headers.get("Content-Type", "") else found.content

    def put(self, path: Path) -> None:
        self.rest("/instances", path.read_bytes())

    def modalities(self) -> dict[str, int]:
        """Modality -> number of instances."""
        counts: dict[str, int] = {}
        for series in self.rest("/series?expand"):
            name = series["MainDicomTags"]["Modality"]
            counts[name] = counts.get(name, 0) + len(series["Instances"])
        return counts

    def files(self) -> list[bytes]:
        """Every instance, as it is stored."""
        return [self.rest(f"/instances/{name}/file") for name in self.rest("/instances")]
