"""A teacher that is the running average of its student (Tarvainen 2017, mean teacher)."""

from __future__ import annotations

from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import nn
from torch.optim.swa_utils import AveragedModel

from cxr_common.distributed import unwrapped


class EmaTeacher(AveragedModel):
    """Exponential moving average of a network's parameters; buffers are copied, and it is always in evaluation mode.

    The decay after n updates is min(1 - 1 / (n + 1), ``decay``), so the first update copies the student and the average
    then reaches back further and further (github.com/LLYXC/OXnet at 4fb67a8). MONAI has none; ignite's ``EMAHandler``
    has only a fixed or linear decay and does not save its average. torch's ``AveragedModel`` does and counts the
    updates: its ``state_dict`` in a checkpoint is all that a resumed run needs.

    Args:
        network: the student; a ``DistributedDataParallel`` wrapper is looked through.
        decay: largest decay.
    """

    def __init__(self, network: nn.Module, decay: float = 0.99) -> None:
        def average(teacher: torch.Tensor, student: torch.Tensor, updates: Any) -> torch.Tensor:
            return teacher.lerp(student, 1 - min(1 - 1 / (int(updates) + 1), decay))

        super().__init__(unwrapped(network), avg_fn=average)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> EmaTeacher:
        """Stays in evaluation mode."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The averaged network's output, without gradient."""
        return super().forward(*args, **kwargs)


class EmaUpdater:
    """Handler that lets a teacher follow its student after each iteration.

    Where the teacher has followed nobody yet when training starts, it takes over the student's weights: they may have
    been loaded after the teacher was made.

    Args:
        teacher: the average.
        network: the student.
    """

    def __init__(self, teacher: EmaTeacher, network: nn.Module) -> None:
        self.teacher, self.network = teacher, network

    def attach(self, engine: Engine) -> None:
        """Follow a trainer."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def start(self, engine: Engine) -> None:
        """Begin as the student's copy."""
        if int(self.teacher.n_averaged) == 0:
            self.teacher.module.load_state_dict(unwrapped(self.network).state_dict())

    def __call__(self, engine: Engine) -> None:
        """One update."""
        self.teacher.update_parameters(unwrapped(self.network))
