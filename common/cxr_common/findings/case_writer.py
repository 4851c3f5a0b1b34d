"""The two kinds of writers that a run's results are composed of: of one image at a time, and of the whole run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cxr_common.findings.case import Case


class NotForThisImageError(Exception):
    """This image has no such file, which is no failure; the message says why.

    The image's other files are written, and the sentence joins its `warnings` in findings.json.
    """


class CaseWriter(ABC):
    """Writes one kind of file for one image at a time: a heatmap, masks, a picture, a DICOM object.

    A new kind is one module beside those in ``findings/writers`` with a subclass of this, and a line in
    ``findings/outputs.py`` that gives it a name; ``outputs: [json, <name>, ...]`` in a bundle's config then chooses it.
    A writer is made once for each run, before the first image. So its constructor raises
    :class:`~cxr_common.errors.InputError` where it cannot work here at all (a library is not installed), and may keep
    what all images of the run share (a series UID). It is made where it is chosen only, so the module itself imports
    no library that inference can do without.

    Attributes:
        kind: key of the record's ``files`` under which the files are listed. Reports and datalists read the kinds
            ``masks`` (class -> file), ``heatmap`` and ``overlay``.
        needs: what it takes from a case. A run of a bundle that makes no "heatmap" or "masks" is refused before the
            first image where they are needed. Where "picture" is, the radiograph is kept when the image is loaded;
            a writer that does not say so may ask for it, and the file is read again.
    """

    kind: str
    needs: frozenset[str] = frozenset()

    @abstractmethod
    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """Every file that :meth:`write` may make for a case of these classes.

        Each name starts with ``<case>_``. Files of these names are removed where a later run writes the case anew, or
        fails at it.

        Args:
            case: :attr:`Case.name`.
            labels: class names, perhaps of an earlier run's model too.
        """

    @abstractmethod
    def write(self, case: Case, folder: Path) -> str | Mapping[str, str]:
        """Write the files of one image.

        Args:
            case: the image, what was found on it, and by which model.
            folder: an empty folder beside the results, which the writers of the case share. When all have written, its
                files move to the output folder together; where one raises, none does and older ones stay.

        Returns:
            What `files` lists under :attr:`kind`: the name of the file, or class -> name.

        Raises:
            NotForThisImageError: this image has no such file; the others are written.
            InputError: it cannot be written; the image becomes a failure record, as with any other error.
        """


class RunWriter(ABC):
    """Writes one file about a whole run.

    Attributes:
        file: its name.
        reads: kinds of :class:`CaseWriter` whose files it refers to; a run without them is refused.
    """

    file: str
    reads: frozenset[str] = frozenset()

    def add(self, case: Case) -> Any:
        """Look at a case whose files are written; a writer keeps what the record lacks, and no heatmaps or masks.

        Returns:
            What it keeps, as JSON has it, so that a run that is killed can go on; None for nothing, as most writers
            need the record alone.
        """
        return None

    def restore(self, case: str, note: Any) -> None:  # noqa: B027
        """Take back what :meth:`add` returned for a case, in a run that goes on with it."""

    @abstractmethod
    def write(self, record: Mapping[str, Any], folder: Path) -> None:
        """Write the file at the end of the run.

        Args:
            record: the content of findings.json.
            folder: the output folder.

        Raises:
            InputError: it cannot be written.
        """
