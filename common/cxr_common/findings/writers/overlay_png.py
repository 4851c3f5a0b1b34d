"""The output "png"."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cxr_common.findings.case import Case
from cxr_common.findings.case_writer import CaseWriter
from cxr_common.findings.png_file import save_png


class OverlayPng(CaseWriter):
    """The overlay sheet for people, see :func:`cxr_common.findings.render_overlay`."""

    kind = "overlay"
    needs = frozenset({"picture"})

    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """The one file."""
        return [f"{case}_overlay.png"]

    def write(self, case: Case, folder: Path) -> str:
        """Write the file; returns its name."""
        (name,) = self.names(case.name, case.model.labels)
        save_png(case.plot(), folder / name)
        return name
