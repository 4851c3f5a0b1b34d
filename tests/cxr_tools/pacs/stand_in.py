"""A receiver in a process of its own whose bundle is a stand-in: a real report for each image, without a network.

python -m tests.cxr_tools.pacs.stand_in WORK PORT DESTINATION
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

from cxr_common.dicom_results import Finding, ImageResult, Model, ResultUids, make_object, read_source
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.listen import work_off
from cxr_tools.pacs.network import NetworkPacs
from cxr_tools.pacs.receiver import Limits, Receiver

MODEL = Model("stand_in", "1", "cd" * 32)


def infer(images: Path, results: Path) -> None:
    """Write a report for each image, and findings.json, as a bundle does."""
    records, failures = [], []
    uids = ResultUids(MODEL, deterministic=True)
    for path in sorted(images.glob("*.dcm")):
        try:
            source = read_source(path)
            findings = (Finding("Mass", 0.9, 0.5, True, (3.0, 4.0)),)
            report = make_object("dicom_sr", ImageResult(findings, MODEL, source.size), source, uids)
            report.save_as(results / f"{path.stem}_sr.dcm", enforce_file_format=True)
        except Exception as error:
            failures.append({"path": path.name, "reason": type(error).__name__, "action": None})
            continue
        found = [{"label": "Mass", "probability": 0.9, "decision": True}]
        files = {"dicom_sr": f"{path.stem}_sr.dcm"}
        records.append({"case": path.stem, "path": path.name, "size": [9, 9], "findings": found, "files": files})
    record = {
        "model": {"name": "stand_in", "version": "1", "labels": ["Mass"]},
        "images": records,
        "failures": failures,
    }
    (results / "findings.json").write_text(json.dumps(record), encoding="utf-8")


def main(work: Path, port: int, destination: str) -> None:
    """Listen until a signal."""
    ledger, stop = Ledger(work), threading.Event()
    receiver = Receiver(ledger, work, "US", "127.0.0.1", port, Limits(free_megabytes=0, associations=20))
    receiver.start()
    signal.signal(signal.SIGTERM, lambda *_: (stop.set(), receiver.arrived.set()))
    print("ready", flush=True)
    work_off(ledger, work, infer, NetworkPacs.parse(destination, "US", 5), receiver.arrived, stop, 100, pause=0.5)
    receiver.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
