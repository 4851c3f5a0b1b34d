"""The output "png"."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cxr_common.findings.case import Case
from cxr_common.findings.case_writer import CaseWriter
from cxr_common.findings.overlay import render_overlay


class OverlayPng(CaseWriter):
    """The overlay sheet for people, see :func:`cxr_common.findings.render_overlay`."""

    kind = "overlay"

    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """The one file."""
        return [f"{case}_overlay.png"]

    def write(self, case: Case, folder: Path) -> str:
        """Write the file; returns its name."""
        (name,) = self.names(case.name, case.model.labels)
        findings = [finding.model_dump(exclude_unset=True) for finding in case.findings]
        record = {"case": case.name, "size": case.size, "findings": findings}
        sheet = render_overlay(case.picture, record, case.heatmap, case.masks, case.model.as_dict())
        sheet.save(folder / name, compress_level=1)  # half the time of the default, and a quarter more room
        return name
