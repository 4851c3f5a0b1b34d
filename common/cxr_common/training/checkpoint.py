"""Checkpoints that survive a kill at any moment and resume as if the run had never stopped."""

from __future__ import annotations

import logging
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import nn

from cxr_common.distributed import unwrapped
from cxr_common.errors import InputError
from cxr_common.files import as_path, replacing, sweep_temporary
from cxr_common.networks.weight_checks import check_archive
from cxr_common.networks.weights import check_keys, save_weights
from cxr_common.start.identity import CHECKPOINT, check_belongs, made_from
from cxr_common.training.random_state import get_random_state, set_random_state

OWN_NAMES = {
    *("network", "buffers", "optimizer", "lr_scheduler", "scaler", "best_metric", "best_metric_epoch"),
    *("epoch", "iteration", "random", "made_from"),
}
#: What torch's schedules call their length in epochs or steps.
_LENGTHS = ("total_steps", "total_iters", "T_max")


def _transient_buffers(network: nn.Module) -> dict[str, torch.Tensor]:
    """Buffers that files of weights go without, such as how far the ramp of a DropBlock is."""
    weights = network.state_dict()
    return {name: buffer for name, buffer in network.named_buffers() if name not in weights}


class TrainingCheckpoint:
    """Write the best and the last weights and a resumable checkpoint after each epoch; resume when training starts.

    In ``output_dir``: ``model.pt`` (the best epoch's weights by the evaluator's key metric), ``model_last.pt``, and
    ``checkpoint.pt`` (network, its buffers that are no weights, optimiser, schedule, gradient scaler, random states,
    best metric, epoch, what the run is made from). Each is written to a temporary name and renamed. MONAI's
    ``CheckpointSaver`` writes in place, so a kill can destroy the only copy, and forgets the best metric over a resume.

    Attach it last, after the validation and the schedule of the epoch.

    Args:
        output_dir: folder of the run.
        network: trained network; a ``DistributedDataParallel`` wrapper is looked through.
        optimizer: its optimiser.
        lr_scheduler: its schedule, if any.
        evaluator: the validating engine, whose key metric chooses the best epoch.
        resume: whether to continue from ``checkpoint.pt`` where it exists.
        also: what else is to survive, by name: anything with ``state_dict`` and ``load_state_dict``, such as an
            :class:`~cxr_common.training.EmaTeacher` or a loss with buffers.
        kept: network whose weights ``model.pt`` and ``model_last.pt`` hold, such as the teacher's, where it is not the
            trained one; give the one that the evaluator judges.
        belongs_to: what the run is made from, plain values; a checkpoint of something else is refused. Default: what
            :func:`~cxr_common.start.identity.made_from` says of the bundle that is running.

    Raises:
        ValueError: a name in ``also`` is one of the checkpoint's own.
    """

    def __init__(
        self,
        output_dir: str | Path,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        lr_scheduler: Any = None,
        evaluator: Engine | None = None,
        resume: bool = True,
        also: Mapping[str, Any] | None = None,
        kept: nn.Module | None = None,
        belongs_to: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = as_path(output_dir)
        self.network, self.kept = network, network if kept is None else kept
        self.stateful = {"optimizer": optimizer, **({"lr_scheduler": lr_scheduler} if lr_scheduler is not None else {})}
        if taken := OWN_NAMES & set(also or ()):
            raise ValueError(f"name {', '.join(sorted(taken))} in also is the checkpoint's own")
        self.stateful |= also or {}
        self.belongs_to = made_from() if belongs_to is None else dict(belongs_to)
        # MONAI's workflows put best_metric, best_metric_epoch and rank into ignite's state.
        self.evaluator: Any = evaluator
        self.resume_run = resume
        self.logger = logging.getLogger(__name__)

    @property
    def path(self) -> Path:
        """The resumable checkpoint."""
        return self.folder / CHECKPOINT

    def attach(self, engine: Engine) -> None:
        """Resume when the trainer starts, save when an epoch is done."""
        engine.add_event_handler(Events.STARTED, lambda _: sweep_temporary(self.folder))
        if self.resume_run:
            engine.add_event_handler(Events.STARTED, self.resume)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def resume(self, engine: Engine) -> None:
        """Restore every state from the checkpoint, if there is one.

        Raises:
            InputError: when the checkpoint is another network's or is damaged.
        """
        if not self.path.exists():
            return
        try:
            check_archive(self.path)
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            check_belongs(state.get("made_from"), self.belongs_to, self.path)
            network = unwrapped(self.network)
            check_keys(state["network"], network.state_dict(), self.path)
            self._check_schedule(state.get("lr_scheduler") or {})
            network.load_state_dict(state["network"])
            kept_out = _transient_buffers(network)
            for name, value in state.get("buffers", {}).items():
                kept_out[name].copy_(value)
            for name, target in self.stateful.items():
                target.load_state_dict(state[name])
        except InputError:
            raise
        except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise InputError(
                f"cannot resume from this checkpoint ({(str(error) or type(error).__name__).splitlines()[0]})",
                self.path,
                "use the settings it was made with, or another output_dir",
            ) from error
        scaler = getattr(engine, "scaler", None)
        if scaler is not None and state["scaler"]:
            scaler.load_state_dict(state["scaler"])
        if self.evaluator is not None:
            self.evaluator.state.best_metric = state["best_metric"]
            self.evaluator.state.best_metric_epoch = state["best_metric_epoch"]
        engine.state.epoch = state["epoch"]
        engine.state.iteration = state["iteration"]
        set_random_state(state["random"])
        self.logger.info("resumed after epoch %d from %s", state["epoch"], self.path)

    def _check_schedule(self, state: Mapping[str, Any]) -> None:
        """Refuse a checkpoint whose schedule is made for another number of epochs or steps: it would end too early."""
        schedule = self.stateful.get("lr_scheduler")
        for name in _LENGTHS:
            then, now = state.get(name), getattr(schedule, name, None)
            if then is not None and now is not None and then != now:
                raise InputError(
                    f"its schedule, {type(schedule).__name__}, is made for {then} steps, and the run has {now}",
                    self.path,
                    "give the epochs, batch size and number of processes it was made with, or another output_dir",
                )

    def save(self, engine: Any) -> None:
        """Write the files of the epoch; only the first process of a distributed run does.

        Raises:
            InputError: the key metric is not a number, so no epoch can be chosen.
        """
        evaluator_state = None if self.evaluator is None else self.evaluator.state
        if evaluator_state is not None and math.isnan(evaluator_state.best_metric):
            # MONAI keeps the first value whatever it is, and nothing is better than NaN.
            raise InputError(
                "the metric that chooses the best epoch is not a number",
                "validation",
                "annotate images of the datalist's validation section for it; or else the training diverged",
            )
        if engine.state.rank != 0:
            return
        network = unwrapped(self.network)
        if evaluator_state is None or evaluator_state.best_metric_epoch == engine.state.epoch:
            save_weights(unwrapped(self.kept), self.folder / "model.pt")
        save_weights(unwrapped(self.kept), self.folder / "model_last.pt")
        scaler = getattr(engine, "scaler", None)
        state = {
            "network": network.state_dict(),
            "buffers": _transient_buffers(network),
            **{name: target.state_dict() for name, target in self.stateful.items()},
            "scaler": None if scaler is None else scaler.state_dict(),
            "best_metric": None if evaluator_state is None else float(evaluator_state.best_metric),
            "best_metric_epoch": None if evaluator_state is None else evaluator_state.best_metric_epoch,
            "epoch": engine.state.epoch,
            "iteration": engine.state.iteration,
            "random": get_random_state(),
            "made_from": self.belongs_to,
        }
        # The checkpoint goes last: a kill before it repeats the epoch, which gives the same files again.
        with replacing(self.path) as temporary:
            torch.save(state, temporary)


class StopAtLearningRate:
    """Handler that ends training once the learning rate has fallen to a floor.

    PYLON's recipe ends so (github.com/cmb-chula/pylon at e2d493c: plateau schedule from 1e-4, stop at 1e-6).

    Args:
        optimizer: whose first group is watched.
        floor: the rate at or below which training ends.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, floor: float) -> None:
        self.optimizer = optimizer
        self.floor = floor

    def attach(self, engine: Engine) -> None:
        """Look after each epoch."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """End training at the floor."""
        if self.optimizer.param_groups[0]["lr"] <= self.floor:
            logging.getLogger(__name__).info("learning rate at its floor after epoch %d", engine.state.epoch)
            engine.terminate()
