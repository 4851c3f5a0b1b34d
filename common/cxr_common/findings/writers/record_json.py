"""The output "json"."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr_common.findings.case_writer import RunWriter
from cxr_common.findings.run_record import FILE_NAME, write_run_record


class RecordJson(RunWriter):
    """findings.json: the record of the run."""

    file = FILE_NAME

    def write(self, record: Mapping[str, Any], folder: Path) -> None:
        """Write the file."""
        write_run_record(record, folder)
