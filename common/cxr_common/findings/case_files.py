"""Files of a case that an earlier run left in the output folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_common.findings.case_writer import CaseWriter
from cxr_common.findings.heatmap_file import heatmap_name, load_heatmap
from cxr_common.findings.run_record import file_names, read_findings


class EarlierFiles:
    """What a run replaces or removes when it writes a case anew, or fails at it.

    These are the files that its own writers may write, for its classes and for those of the heatmap file that is there,
    and the files that the folder's findings.json lists, perhaps of writers that this run has not.

    Args:
        folder: the output folder.
        writers: those of the run.
        labels: class names of the run.
    """

    def __init__(self, folder: Path, writers: Sequence[CaseWriter], labels: Iterable[str]) -> None:
        self.folder, self.writers, self.labels = folder, writers, set(labels)
        self._listed: dict[str, list[str]] = {}
        try:
            images: list[Any] = read_findings(folder)["images"]
        except InputError:
            return
        for image in images:
            # Each writer begins a name so. A record that others made must not remove anything else.
            own = (name for name in file_names(image["files"]) if name.startswith(f"{image['case']}_"))
            self._listed[image["case"]] = [name for name in own if Path(name).name == name]

    def of(self, case: str) -> list[str]:
        """Names of the files that are there."""
        try:
            labels = {*self.labels, *load_heatmap(self.folder / heatmap_name(case)).labels}
        except InputError:
            labels = self.labels
        names = [name for writer in self.writers for name in writer.names(case, labels)]
        return [name for name in dict.fromkeys([*names, *self._listed.get(case, [])]) if (self.folder / name).is_file()]
