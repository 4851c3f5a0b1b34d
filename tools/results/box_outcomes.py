"""What trained detectors did on the test images, kept beside the result file as that of localisers is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.evaluation import BoxPredictions
from cxr_common.labels import LABELS
from cxr_common.metrics import box_image_scores
from tools.results.data import Items
from tools.results.outcomes import arrays_of, read_kept, write_kept

#: Best boxes of an image that are kept, and so scored.
MOST_BOXES = 50


@dataclass(frozen=True)
class BoxOutcome:
    """What one network did.

    Attributes:
        about: "weights_sha256" of the network, "minutes" and "machine" of its training.
        boxes: its boxes on the images that have true ones.
        scores: (N, C) best score of a box of each class, on the images that have labels alone.
        logits: (N, C) of the image-level head there.
    """

    about: dict[str, Any]
    boxes: BoxPredictions
    scores: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class BoxOutcomes:
    """A folder of outcomes, ``<method>-seed<N>.npz``.

    Attributes:
        folder: where they lie.
        boxed: items of the images with true boxes.
    """

    folder: Path
    boxed: Items

    def load(self, name: str, made_with: Mapping[str, Any]) -> BoxOutcome | None:
        """An outcome, if there is one of the same test images that was made in the same way."""
        kept = read_kept(self.folder / f"{name}.npz", made_with)
        if kept is None:
            return None
        about, arrays = kept
        own, labelled = arrays_of(arrays, "boxes"), arrays_of(arrays, "nih")
        x, y = own.pop("input_size").tolist()
        own["rows"] = own["rows"].astype(np.float32)
        boxes = BoxPredictions(labels=list(LABELS), items=self.boxed, input_size=(x, y), **own)
        return BoxOutcome(about, boxes, labelled["scores"], labelled["logits"])

    def make(
        self,
        name: str,
        made_with: Mapping[str, Any],
        about: Mapping[str, Any],
        predict: Callable[[str], BoxPredictions],
    ) -> BoxOutcome:
        """Measure a network and keep what comes out; corners and scores in half precision, which is what is scored.

        Args:
            name: of method and seed.
            made_with: all that the outcome depends on besides weights; plain values.
            about: see :class:`BoxOutcome`.
            predict: test set, "boxes" or "nih" -> predictions.
        """
        boxes, nih = predict("boxes"), predict("nih")
        arrays = {
            "boxes/rows": boxes.rows[:, :MOST_BOXES].astype(np.float16),
            "boxes/sizes": boxes.sizes,
            "boxes/input_size": np.array(boxes.input_size),
            "boxes/label": boxes.label.astype(np.float32),
            "boxes/logits": boxes.logits.astype(np.float32),
            "nih/scores": box_image_scores(nih.detections, len(LABELS)).astype(np.float32),
            "nih/logits": nih.logits.astype(np.float32),
        }
        write_kept(self.folder / f"{name}.npz", made_with, about, arrays)
        outcome = self.load(name, made_with)
        assert outcome is not None
        return outcome
