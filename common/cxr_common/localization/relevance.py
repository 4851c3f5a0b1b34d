"""Layer relevance weights in TensorBoard and as a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ignite.engine import Engine, Events

from cxr_common.extras import needed

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch.utils.tensorboard import SummaryWriter


def relevance_figure(relevance: Mapping[str, Mapping[str, float]], title: str = "Layer relevance") -> Figure:
    """Draw relevance by class (rows) and stage (columns), values written in the cells.

    Args:
        relevance: class -> stage -> weight, as ``MultiscaleClassifier.describe`` gives it.
        title: above the plot.

    Raises:
        InputError: matplotlib is not installed.
    """
    # The object interface: pyplot would keep every figure and choose a backend for the whole process.
    plots = needed("matplotlib.figure", "matplotlib", "drawing layer relevance")
    labels, stages = list(relevance), list(next(iter(relevance.values())))
    values = np.array([[relevance[label][stage] for stage in stages] for label in labels])
    figure: Figure = plots.Figure(figsize=(2.2 + 0.9 * len(stages), 1.2 + 0.36 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    picture = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(stages)), stages)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_title(title)
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="black" if value > 0.6 else "white")
    figure.colorbar(picture, label="weight")
    return figure


class TensorBoardRelevance:
    """Handler that writes a network's layer relevance weights after each validation: a curve each, and the plot.

    Args:
        writer: TensorBoard writer of the run.
        network: with ``describe(labels)`` that has "layer_relevance".
        labels: class names in channel order.
    """

    def __init__(self, writer: SummaryWriter, network: Any, labels: Sequence[str]) -> None:
        self.writer, self.network, self.labels = writer, network, list(labels)

    def attach(self, engine: Engine) -> None:
        """Write at the end of every epoch of the validating engine."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Write the weights as they are now."""
        relevance = self.network.describe(self.labels)["layer_relevance"]
        epoch = engine.state.epoch
        for label, stages in relevance.items():
            for stage, value in stages.items():
                self.writer.add_scalar(f"relevance {label}/{stage}", value, epoch)
        self.writer.add_figure("relevance", relevance_figure(relevance), epoch)
