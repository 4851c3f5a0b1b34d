"""The output "npz"."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cxr_common.findings.case import Case
from cxr_common.findings.case_writer import CaseWriter
from cxr_common.findings.heatmap_file import Heatmap, heatmap_name, save_heatmap


class HeatmapNpz(CaseWriter):
    """The heatmaps of all classes as one file, see :func:`cxr_common.findings.save_heatmap`."""

    kind = "heatmap"
    needs = frozenset({"heatmap"})

    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """The one file."""
        return [heatmap_name(case)]

    def write(self, case: Case, folder: Path) -> str:
        """Write the file; returns its name."""
        model, name = case.model, heatmap_name(case.name)
        save_heatmap(
            Heatmap(
                heatmap=np.asarray(case.heatmap),
                labels=model.labels,
                size=case.size,
                bundle=model.name,
                version=model.version,
                weights_sha256=model.weights_sha256 or "",
                source=str(case.source),
            ),
            folder / name,
        )
        return name
