"""Ignite handlers that keep the metrics of an epoch: thin shells over the pure functions.

They attach as a MONAI evaluator's ``key_val_metric`` or ``additional_metrics``; with several processes MONAI gathers
what each has collected before anything is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from ignite.exceptions import NotComputableError
from monai.handlers import IgniteMetricHandler
from monai.metrics import Cumulative, CumulativeIterationMetric

from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.metrics.classification import auroc, average_precision, macro_average, micro, per_class, support_average
from cxr_common.metrics.points import hit_rates, point_hits

BINARY_METRICS = {"auroc": auroc, "average_precision": average_precision}


class ImageLabelMetric(CumulativeIterationMetric):
    """Collects class logits and labels; see :class:`ImageLabelMetrics` for the arguments."""

    def __init__(self, metric: str, average: str, pool: Callable[[torch.Tensor], torch.Tensor] | None) -> None:
        super().__init__()
        _known("metric", metric, BINARY_METRICS)
        _known("average", average, ("macro", "micro", "weighted"))
        self.metric, self.average, self.pool = BINARY_METRICS[metric], average, pool

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> list[torch.Tensor]:
        if y is None:
            raise ValueError("labels are needed")
        scores = y_pred if self.pool is None else self.pool(y_pred)
        return [torch.as_tensor(scores).float(), torch.as_tensor(y).float()]

    def aggregate(self) -> tuple[float, list[float]]:
        """The average and the value of each class, over all that was collected."""
        scores, labels = (b.cpu().numpy() for b in collected(self))
        values = per_class(self.metric, scores, labels)
        if self.average == "micro":
            return float(micro(self.metric, scores, labels)), values.tolist()
        averaged = macro_average(values) if self.average == "macro" else support_average(values, labels)
        return float(averaged), values.tolist()


class PointLocalizationMetric(CumulativeIterationMetric):
    """Collects point hits (N, C); see :class:`PointLocalization` for the arguments."""

    def __init__(self, size: Sequence[int], average: str) -> None:
        super().__init__()
        _known("average", average, ("macro", "micro"))
        self.size, self.average = tuple(size), average

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        if y is None:
            raise ValueError("boxes are needed")
        rows = [image[image[:, 4] >= 0].double().cpu().numpy() for image in torch.as_tensor(y)]
        heatmaps = upsample_heatmaps(torch.as_tensor(y_pred), self.size)
        hits = point_hits(heatmaps, [r[:, :4] for r in rows], [r[:, 4].astype(int).tolist() for r in rows])
        return torch.from_numpy(hits).float().to(y_pred.device)

    def aggregate(self) -> tuple[float, list[float]]:
        """The average and the value of each class, over all that was collected."""
        rates = hit_rates(collected(self).cpu().numpy())
        return float(rates.macro if self.average == "macro" else rates.micro), rates.per_class.tolist()


class PerClassHandler(IgniteMetricHandler):
    """Puts the average into ``state.metrics[name]`` and each class beside it."""

    def __init__(self, metric_fn: Any, labels: Sequence[str] | None, output_transform: Callable) -> None:
        super().__init__(metric_fn=metric_fn, output_transform=output_transform, save_details=False)
        self.labels = labels

    def attach(self, engine: Any, name: str) -> None:  # type: ignore[override]
        """Attach to an engine under a name."""
        super().attach(engine, name)
        if not hasattr(engine.state, "metric_details"):
            engine.state.metric_details = {}

    def details(self, values: list[float]) -> torch.Tensor:
        """What ``state.metric_details[name]`` holds: rows of one value per class, as MetricsSaver writes them."""
        return torch.tensor([values])

    def compute(self) -> float:
        """The average; the engine's state gets the rest."""
        average, values = self.metric_fn.aggregate()
        self._is_reduced = True
        if self._engine is not None:
            self._engine.state.metric_details[self._name] = self.details(values)  # type: ignore[attr-defined]
            for label, value in zip(self.labels or (), values, strict=self.labels is not None):
                self._engine.state.metrics[f"{self._name}_{label}"] = value
        return average


class ImageLabelMetrics(PerClassHandler):
    """AUROC or average precision of an epoch.

    Args:
        metric: ``auroc`` or ``average_precision``.
        average: ``macro`` over the defined classes, ``micro`` over all scored pairs, or ``weighted`` by the number of
            present labels.
        pool: turns logit maps (N, C, x, y) into class logits (N, C), a network's ``pool``; None where the output holds
            class logits already.
        labels: class names; given, each class goes to ``state.metrics["<name>_<label>"]`` too.
        output_transform: engine output to (maps or class logits, labels (N, C)), or lists of these without N, such as
            ``monai.handlers.from_engine(["pred", "label"])``. Labels -1 and NaN are left out.

    ``state.metrics[name]`` is NaN, not an error, where no class has both present and absent labels;
    ``state.metric_details[name]`` is (1, C).
    """

    def __init__(
        self,
        metric: str = "auroc",
        average: str = "macro",
        pool: Callable[[torch.Tensor], torch.Tensor] | None = None,
        labels: Sequence[str] | None = None,
        output_transform: Callable = lambda x: x,
    ) -> None:
        super().__init__(ImageLabelMetric(metric, average, pool), labels, output_transform)


class PointLocalization(PerClassHandler):
    """Point localisation accuracy of an epoch, see :func:`~cxr_common.metrics.points.point_hits`.

    Args:
        size: X, Y of the network's input, to which maps are resampled.
        average: ``macro`` over the classes that have a box, or ``micro`` over all (image, class) pairs that have one.
        labels: class names; given, each class goes to ``state.metrics["<name>_<label>"]`` too.
        pred_key: key of the logit maps (N, C, x, y) in ``engine.state.output``.
        boxes_key: key of the boxes (N, M, 5) in ``engine.state.batch``: MONAI's evaluator does not carry them into its
            output. A row is x0, y0, x1, y1 in network-input pixels and the class index, -1 for padding, as
            ``cxr_common.transforms.EncodeBoxesd`` makes it.

    ``state.metric_details[name]`` is (N, C): 1, 0, NaN = no box of the class.
    """

    def __init__(
        self,
        size: Sequence[int],
        average: str = "macro",
        labels: Sequence[str] | None = None,
        pred_key: str = "pred",
        boxes_key: str = "boxes",
    ) -> None:
        super().__init__(PointLocalizationMetric(size, average), labels, lambda output: output)
        self.pred_key, self.boxes_key = pred_key, boxes_key

    def iteration_completed(self, engine: Any) -> None:
        """Take the maps from the engine's output, and the boxes from its batch."""
        self.update((_values(engine.state.output, self.pred_key), _values(engine.state.batch, self.boxes_key)))

    def details(self, values: list[float]) -> torch.Tensor:
        """Hits of every image and class."""
        return self.metric_fn.get_buffer()


def collected(metric: Cumulative) -> Any:
    """What a metric gathered from all batches and processes; raises NotComputableError where there was no batch."""
    buffer = metric.get_buffer()
    if buffer is None:
        raise NotComputableError(f"{type(metric).__name__} needs at least one batch")
    return buffer


def _values(data: Any, key: str) -> Any:
    """A key of a batch, or of each of its items where it has been decollated."""
    return data[key] if isinstance(data, dict) else [item[key] for item in data]


def _known(kind: str, value: str, known: Any) -> None:
    if value not in known:
        raise ValueError(f"unknown {kind} {value!r}; choose one of {', '.join(known)}")
