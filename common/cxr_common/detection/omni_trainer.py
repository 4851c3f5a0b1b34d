"""A trainer whose student learns from annotations of every kind and from its own running average."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from monai.engines import SupervisedTrainer
from monai.engines.utils import IterationEvents
from monai.utils import CommonKeys

from cxr_common.detection.network import DetectorOutput
from cxr_common.detection.omni_loss import OmniLoss, without_boxes
from cxr_common.plain_inferer import plain_tensor
from cxr_common.training.ema import EmaTeacher

TARGETS = ("boxes", "box_known", "label")


class OmniTrainer(SupervisedTrainer):
    """MONAI's trainer with OXnet's iteration (Luo 2021, arXiv 2104.03218); everything around it is MONAI's.

    The student sees the strong view of each image, the teacher the weak view of those without boxes. Published: both
    views are drawn from the same policy. ``state.output`` has "loss" and each term of the loss, for TensorBoard.

    Args:
        loss_function: an :class:`~cxr_common.detection.omni_loss.OmniLoss`.
        teacher: the student's running average, which :class:`~cxr_common.training.EmaUpdater` keeps; it is run only
            where the loss wants it. None: there is none.
        ramp_up: this trainer -> factor on the teacher's terms; see :class:`~cxr_common.detection.SigmoidRampUp`.
        max_grad_norm: largest norm of all gradients together; None does not clip. Published: 0.1.
        strong_key: the student's view in a batch; where a batch lacks it, the student sees the weak view, "image".
        kwargs: of ``monai.engines.SupervisedTrainer`` except for ``decollate`` (the output has no value per image) and
            ``accumulation_steps``.

    Raises:
        ValueError: the loss wants a teacher and there is none.
    """

    def __init__(
        self,
        *,
        loss_function: OmniLoss,
        teacher: EmaTeacher | None = None,
        ramp_up: Callable[[Any], float] = lambda engine: 1.0,
        max_grad_norm: float | None = 0.1,
        strong_key: str = "image_strong",
        **kwargs: Any,
    ) -> None:
        if loss_function.wants_teacher and teacher is None:
            raise ValueError("the loss has terms that need a teacher: give one, or those terms the weight 0")
        super().__init__(loss_function=loss_function, decollate=False, **kwargs)
        self.teacher = teacher if loss_function.wants_teacher else None
        self.ramp_up, self.max_grad_norm = ramp_up, max_grad_norm
        self.strong_key = strong_key

    def _iteration(self, engine: Any, batchdata: Mapping[str, Any]) -> dict[str, Any]:
        device = torch.device(engine.state.device)
        batch = {
            key: plain_tensor(batchdata[key]).to(device, non_blocking=engine.non_blocking)
            for key in (CommonKeys.IMAGE, self.strong_key, *TARGETS)
            if key in batchdata
        }
        weak = batch[CommonKeys.IMAGE]
        self.network.train()
        self.optimizer.zero_grad(set_to_none=self.optim_set_to_none)
        with torch.autocast(device.type, enabled=self.amp, **self.amp_kwargs):
            student = DetectorOutput(*self.inferer(batch.get(self.strong_key, weak), self.network))
            taught = self._teach(student, weak, without_boxes(batch["box_known"]))
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        # Outside of autocast: sums over 50,000 anchors are no work for half precision.
        size = (weak.shape[-2], weak.shape[-1])
        terms = self.loss_function(student, batch, size, taught, self.ramp_up(engine))
        engine.fire_event(IterationEvents.LOSS_COMPLETED)
        self._step(terms[CommonKeys.LOSS])
        engine.fire_event(IterationEvents.BACKWARD_COMPLETED)
        engine.state.output = {CommonKeys.IMAGE: weak, **{name: value.detach() for name, value in terms.items()}}
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output

    def _teach(self, student: DetectorOutput, weak: torch.Tensor, free: torch.Tensor) -> DetectorOutput | None:
        """The teacher's output for the images without boxes; empty where there is none."""
        if self.teacher is None:
            return None
        if not bool(free.any()):
            return DetectorOutput(*(part.detach()[free] for part in student))
        return DetectorOutput(*self.teacher(weak[free]))

    def _step(self, loss: torch.Tensor) -> None:
        scaler = self.scaler if self.amp else None
        (loss if scaler is None else scaler.scale(loss)).backward()
        if self.max_grad_norm is not None:
            if scaler is not None:
                scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.max_grad_norm)
        if scaler is None:
            self.optimizer.step()
        else:
            scaler.step(self.optimizer)
            scaler.update()
