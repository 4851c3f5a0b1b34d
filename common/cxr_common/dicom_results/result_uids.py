"""UIDs of results: new in each run, or the same for the same source, model and weights."""

from __future__ import annotations

import uuid

from cxr_common.dicom_results.image_result import Model

_NAMESPACE = uuid.UUID("0f7e3f6e-9f0c-5b52-9d0b-1f6f0d1f2d8c")


class ResultUids:
    """Makes the UIDs of a run's results, as PS3.5 B.2 makes them of UUIDs.

    Args:
        model: what made the results.
        deterministic: the same source, kind, model, version, weights and settings always give the same UIDs, so that a
            result stored twice is in the PACS once. Otherwise each run has its own.

    Example:
        >>> a, b = (ResultUids(Model("m", "1", "ab"), deterministic=True) for _ in "ab")
        >>> a.instance("dicom_sr", "1.2.3") == b.instance("dicom_sr", "1.2.3")
        True
    """

    def __init__(self, model: Model, deterministic: bool = False) -> None:
        made_by = (model.name, model.version, model.weights_sha256 or "", model.settings)
        self._run = "\n".join(made_by if deterministic else (*made_by, uuid.uuid4().hex))

    @property
    def key(self) -> bytes:
        """16 bytes of the run, which deterministic runs of the same model share."""
        return uuid.uuid5(_NAMESPACE, self._run).bytes

    def series(self, kind: str, study: str) -> str:
        """The series of one kind of result in a study."""
        return self._uid("series", kind, study)

    def instance(self, kind: str, source: str) -> str:
        """The result of one kind for a source image, given the UIDs of both."""
        return self._uid("instance", kind, source)

    def part(self, kind: str, source: str, name: str) -> str:
        """Something within a result that has a UID of its own, such as a tracked finding."""
        return self._uid("part", kind, source, name)

    def _uid(self, *names: str) -> str:
        return f"2.25.{uuid.uuid5(_NAMESPACE, chr(10).join((*names, self._run))).int}"
