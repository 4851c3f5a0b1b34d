"""What trained networks did on the test images, kept beside the result file, so that figures need no training again.

Weights of a run take 22 MB, what it did on the test images some 50 KB. With these files a clean clone scores in minutes
what took hours to train, and one more seed or method is trained without all the others. That is, where the same data
can be made: pixels of phantoms differ in the last bit between kinds of processors, and the real images must be at
hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.evaluation import NetworkMaps
from cxr_common.evaluation.scored import Scored
from cxr_common.files import replacing
from cxr_common.labels import LABELS
from cxr_common.localization.gallery import gallery_rows
from tools.moved_code import without_modules
from tools.results.data import Items


@dataclass(frozen=True)
class Outcome:
    """What one network did, with one way of making heatmaps.

    Attributes:
        about: "weights_sha256" of the network, "minutes" and "machine" of its training, "relevance" weights, if any.
        scored: test set -> class logits and hit tables; without heatmaps.
        gallery: (R, x, y) float16 logit maps of the images and classes of :func:`gallery_rows`.
    """

    about: dict[str, Any]
    scored: dict[str, Scored]
    gallery: np.ndarray


@dataclass(frozen=True)
class Outcomes:
    """A folder of outcomes, ``<method>-seed<N>.npz``.

    Attributes:
        folder: where they lie.
        tests: test set -> datalist items with absolute paths.
        own_labels: test set -> class names, where they are not the shared ones.
        shown: the test set whose heatmaps the gallery shows.
    """

    folder: Path
    tests: Mapping[str, Items]
    own_labels: Mapping[str, Iterable[str]] = field(default_factory=dict)
    shown: str = "phantoms"

    def labels(self, test: str) -> list[str]:
        """Class names of a test set."""
        return list(self.own_labels.get(test, LABELS))

    def load(self, name: str, made_with: dict[str, Any]) -> Outcome | None:
        """An outcome, if there is one of the same test images that was made in the same way."""
        kept = read_kept(self.folder / f"{name}.npz", made_with)
        if kept is None:
            return None
        about, arrays = kept
        tests = self.tests.items()
        scored = {test: Scored.from_arrays(arrays_of(arrays, test), items, self.labels(test)) for test, items in tests}
        return Outcome(about, scored, arrays["gallery"])

    def make(
        self, name: str, made_with: dict[str, Any], about: dict[str, Any], predict: Callable[[str], NetworkMaps]
    ) -> Outcome:
        """Measure a network on every test set and keep what comes out.

        Args:
            name: of method and seed.
            made_with: all that the outcome depends on besides weights; plain values.
            about: see :class:`Outcome`.
            predict: test set -> predictions.
        """
        found = {test: predict(test) for test in self.tests}
        rows = gallery_rows(self.tests[self.shown], self.labels(self.shown))
        arrays: dict[str, Any] = {"gallery": np.stack([found[self.shown].maps[image, c] for c, image in rows])}
        for test, predictions in found.items():
            arrays |= {f"{test}/{key}": array for key, array in Scored.of(predictions).arrays().items()}
        write_kept(self.folder / f"{name}.npz", made_with, about, arrays)
        outcome = self.load(name, made_with)
        assert outcome is not None
        return outcome


def read_kept(
    path: Path, made_with: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """What :func:`write_kept` wrote: what is reported, and arrays; None where it is not there or of something else.

    Args:
        path: the file.
        made_with: what it must have been made with; None: anything, which is then reported too, as "made_with".
    """
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        if made_with is not None and without_modules(about.pop("made_with")) != without_modules(made_with):
            return None
        return about, {key: file[key] for key in file.files if key != "about"}


def write_kept(
    path: Path, made_with: Mapping[str, Any], about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Keep arrays, what is reported of them, and what they were made with."""
    text = json.dumps({**about, "made_with": without_modules(made_with)}, sort_keys=True)
    kept: dict[str, Any] = {"about": np.array(text), **arrays}
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **kept)


def arrays_of(arrays: Mapping[str, np.ndarray], test: str) -> dict[str, np.ndarray]:
    """The arrays of one test set, by their own names."""
    return {key.removeprefix(f"{test}/"): array for key, array in arrays.items() if key.startswith(f"{test}/")}
