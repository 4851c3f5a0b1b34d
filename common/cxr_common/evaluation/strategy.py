"""What one kind of network needs to be scored and tuned; :mod:`cxr_common.evaluation.run` does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from monai.data import Dataset
from torch import nn

from cxr_common.evaluation.predictions import Predictions
from cxr_common.findings.thresholds import ClassThresholds

SomePredictions = TypeVar("SomePredictions", bound=Predictions)
SomeThresholds = TypeVar("SomeThresholds", bound=ClassThresholds)


class Strategy(ABC, Generic[SomePredictions, SomeThresholds]):
    """How one kind of network predicts, which figures its predictions have, and what its thresholds are tuned on.

    Attributes:
        masks: whether masks are scored or tuned on, and so count in the hash of the data.
    """

    masks: bool = False

    @abstractmethod
    def predict(
        self, network: nn.Module, dataset: Dataset, labels: list[str], device: torch.device | str
    ) -> SomePredictions:
        """Run the network over a data set, in evaluation mode and in order."""

    @abstractmethod
    def report(self, predictions: SomePredictions, thresholds: SomeThresholds, **options: Any) -> dict[str, Any]:
        """Every figure of the predictions, as plain values.

        Args:
            predictions: of :meth:`predict`.
            thresholds: of the weights.
            options: of the bootstrap, ``n_resamples`` and ``seed``.
        """

    @abstractmethod
    def tune(
        self,
        network: nn.Module,
        dataset: Dataset,
        labels: list[str],
        device: torch.device | str,
        kept: SomeThresholds | None = None,
    ) -> SomeThresholds:
        """Per-class thresholds from validation data, without the hash of the weights.

        Args:
            network: with its weights loaded.
            dataset: the validation data.
            labels: class names.
            device: where to run.
            kept: thresholds of classes that the data cannot tune; None for the defaults.
        """
