"""The outputs that a config chooses by name, and whether they fit together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cxr_common.dicom_results import DicomOptions
from cxr_common.errors import InputError
from cxr_common.findings.case_writer import CaseWriter, RunWriter
from cxr_common.findings.writers.dicom_object import DicomGsps, DicomObject, DicomSc, DicomSeg, DicomSr
from cxr_common.findings.writers.heatmap_npz import HeatmapNpz
from cxr_common.findings.writers.mask_files import NiftiMasks, PngMasks
from cxr_common.findings.writers.overlay_png import OverlayPng
from cxr_common.findings.writers.record_json import RecordJson

#: Name in a config's `outputs` -> what makes its writer. A bundle's own ones are given to FindingsWriter.
OUTPUTS: Mapping[str, type[CaseWriter] | type[RunWriter]] = {
    "json": RecordJson,
    "npz": HeatmapNpz,
    "png": OverlayPng,
    "nifti": NiftiMasks,
    "mask_png": PngMasks,
    "dicom_seg": DicomSeg,
    "dicom_sr": DicomSr,
    "dicom_gsps": DicomGsps,
    "dicom_sc": DicomSc,
}
#: Of a bundle that makes heatmaps.
DEFAULT_OUTPUTS = ("json", "npz", "png", "nifti")


@dataclass(frozen=True)
class Writers:
    """The writers of a run, in the order of its `outputs`."""

    of_cases: tuple[CaseWriter, ...]
    of_run: tuple[RunWriter, ...]

    @property
    def draw(self) -> bool:
        """Whether one of them needs the radiograph itself."""
        return any("picture" in writer.needs for writer in self.of_cases)


def chosen_writers(
    outputs: Sequence[str],
    own: Mapping[str, CaseWriter | RunWriter],
    has: Collection[str],
    labels: Sequence[str],
    dicom: DicomOptions = DicomOptions(),  # noqa: B008 - frozen
) -> Writers:
    """The writers that a config's `outputs` names.

    Args:
        outputs: names of :data:`OUTPUTS` or of `own`.
        own: name -> writer, those of one bundle.
        has: what the bundle makes of "heatmap" and "masks".
        labels: class names.
        dicom: options of DICOM results.

    Raises:
        InputError: a name is unknown or given twice, "json" is missing, an output needs what the bundle does not make
            or another output, or two outputs would write the same file.
    """
    known, made = {**OUTPUTS, **own}, {*has, "picture"}
    names = [] if isinstance(outputs, str) else list(outputs)
    unknown = [str(name) for name in names if not isinstance(name, str) or name not in known]
    if unknown or "json" not in names or len(set(names)) < len(names):
        reason = f"there is no output {', '.join(unknown)}" if unknown else f"is {outputs!r}"
        fitting = [name for name, writer in known.items() if set(getattr(writer, "needs", ())) <= made]
        raise _unfit(reason, f"give a list with json and any of {', '.join(n for n in fitting if n != 'json')}")
    writers = {name: own[name] if name in own else _made(OUTPUTS[name], dicom) for name in names}
    of_cases = {name: writer for name, writer in writers.items() if isinstance(writer, CaseWriter)}
    of_run = {name: writer for name, writer in writers.items() if isinstance(writer, RunWriter)}
    for name, writer in of_cases.items():
        if missing := sorted(writer.needs - made):
            raise _unfit(f"{name} needs {' and '.join(missing)}, which this bundle does not make", f"leave {name} out")
    kinds = [writer.kind for writer in of_cases.values()]
    for name, reader in of_run.items():
        if missing := sorted(reader.reads - set(kinds)):
            raise _unfit(f"{name} refers to files of {' and '.join(missing)}", "add the outputs that write them")
    files = [file for writer in of_cases.values() for file in writer.names("case", labels)]
    files += [reader.file for reader in of_run.values()]
    if len(set(kinds)) < len(kinds) or len(set(files)) < len(files):
        raise _unfit(f"two of {', '.join(names)} write the same files", "leave one out")
    return Writers(tuple(of_cases.values()), tuple(of_run.values()))


def _made(writer: type[CaseWriter] | type[RunWriter], dicom: DicomOptions) -> CaseWriter | RunWriter:
    return writer(dicom) if issubclass(writer, DicomObject) else writer()


def _unfit(reason: str, action: str) -> InputError:
    return InputError(reason, "outputs", action)
