"""What a localiser did on a set of images, small enough to be kept: class logits and hit tables, no heatmaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cxr_common.data.datalist_schema import Item
from cxr_common.evaluation.map_predictions import NetworkMaps
from cxr_common.evaluation.metrics_report import overlap_tables, point_hit_table
from cxr_common.metrics import auroc, average_precision
from cxr_common.metrics.bootstrap import Statistic
from cxr_common.metrics.statistics import hit_statistic, label_statistic

#: Figures of class logits and image labels.
LABEL_METRICS = {"auroc": auroc, "ap": average_precision}


@dataclass(frozen=True)
class Scored:
    """One network's predictions and the hit tables (N, C) made of them; NaN where a class has no box."""

    predictions: NetworkMaps
    points: np.ndarray
    overlaps: dict[str, np.ndarray]

    @classmethod
    def of(cls, predictions: NetworkMaps) -> Scored:
        """Make the hit tables of one network."""
        return cls(predictions, point_hit_table(predictions), overlap_tables(predictions))

    def statistic(self, figure: str, of: str = "macro") -> Statistic:
        """A figure as a function of image weights.

        Args:
            figure: one of :data:`LABEL_METRICS`, "point", or an overlap, such as "mask T(IoU) > 0.1".
            of: a class, or the average over classes: "macro"; of points and overlaps also "micro".
        """
        labels, p = self.predictions.labels, self.predictions
        classes = list(range(len(labels))) if of in ("macro", "micro") else [labels.index(of)]
        if figure in LABEL_METRICS:
            return label_statistic(LABEL_METRICS[figure], p.logits[:, classes], p.label[:, classes])
        hits = (self.points if figure == "point" else self.overlaps[figure])[:, classes]
        return hit_statistic(hits, "macro" if of == "macro" else "micro")

    def subset(self, keep: np.ndarray) -> Scored:
        """The images where a (N,) bool array is true."""
        overlaps = {name: table[keep] for name, table in self.overlaps.items()}
        return Scored(self.predictions.subset(keep), self.points[keep], overlaps)

    def of_labels(self, labels: Sequence[str]) -> Scored:
        """The same network scored on some of its classes; maps are left as they are."""
        p = self.predictions
        columns = [p.labels.index(label) for label in labels]
        predictions = replace(p, labels=list(labels), logits=p.logits[:, columns], label=p.label[:, columns])
        return Scored(predictions, self.points[:, columns], {k: v[:, columns] for k, v in self.overlaps.items()})

    def without(self, skip: str) -> Scored:
        """The same without the boxes of a class."""
        scored = np.array([label != skip for label in self.predictions.labels])
        points, *overlaps = (np.where(scored, table, np.nan) for table in (self.points, *self.overlaps.values()))
        return Scored(self.predictions, points, dict(zip(self.overlaps, overlaps, strict=True)))

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` reads; hits as small integers, -1 where nothing was to be hit.

        Raises:
            ValueError: a table is not one of hits.
        """
        p, hits = self.predictions, np.stack([self.points, *self.overlaps.values()])
        packed = np.where(np.isnan(hits), -1, hits).astype(np.int8)
        if not np.array_equal(np.where(packed < 0, np.nan, packed), hits, equal_nan=True):
            raise ValueError("hit tables must hold 0, 1 and NaN only")
        return {
            "names": np.array(list(self.overlaps)),
            "hits": packed,
            "logits": p.logits.astype(np.float32),
            "label": p.label.astype(np.float32),
            "sizes": p.sizes,
            "input_size": np.array(p.input_size),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], items: list[Item], labels: list[str]) -> Scored:
        """Read what :meth:`arrays` gave of these items; heatmaps are empty."""
        (x, y), logits, packed = arrays["input_size"].tolist(), arrays["logits"], arrays["hits"]
        points, *overlaps = np.where(packed < 0, np.nan, packed)
        no_maps = np.zeros((*logits.shape, 0, 0), np.float16)
        predictions = NetworkMaps(
            labels=labels,
            items=items,
            sizes=arrays["sizes"],
            input_size=(x, y),
            label=arrays["label"],
            logits=logits,
            maps=no_maps,
        )
        return cls(predictions, points, dict(zip(arrays["names"].tolist(), overlaps, strict=True)))
