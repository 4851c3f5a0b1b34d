"""All losses of omni-supervised detection (Luo 2021, arXiv 2104.03218, OXnet) as terms of one sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from cxr_common.detection.alignment import AlignedLabelLoss, aligned_logits, class_features
from cxr_common.detection.global_head import AlignedLogits
from cxr_common.detection.loss import DetectionLoss
from cxr_common.detection.network import DetectorOutput
from cxr_common.detection.prototypes import GlobalPrototypes
from cxr_common.detection.teaching import TeachingLoss

#: Terms and their published weights: all are 1, and there is no plain consistency.
WEIGHTS: dict[str, float] = {
    "boxes": 1.0,
    "label": 1.0,
    "prototypes": 1.0,
    "soft_focal": 1.0,
    "pseudo_boxes": 1.0,
    "consistency": 0.0,
}
#: Terms that need a teacher's output, and grow with the ramp-up.
TAUGHT = ("soft_focal", "pseudo_boxes", "consistency")


def without_boxes(box_known: torch.Tensor) -> torch.Tensor:
    """Which images (N,) have no class annotated with boxes (N, C): those that a teacher teaches."""
    return ~(box_known != 0).any(1)


class OmniLoss(nn.Module):
    """Detection loss on boxes, aligned image-label loss, prototypes, and what the teacher says of images without boxes.

    A term with weight 0 is not computed. What is not annotated adds nothing, and a batch may lack any supervision;
    means are over the images, labels and classes of all processes, which must have the same weights.

    Args:
        detection: loss of true boxes; its anchors are the network's.
        prototypes: class prototypes; their state belongs into the checkpoint. None where their weight is 0.
        teaching: losses towards the teacher; default as published.
        label: loss of image-level labels; default ignores uncertain ones.
        weights: term -> weight, see :data:`WEIGHTS` for those left out; 0 switches a term off.

    Raises:
        ValueError: a term is unknown, or prototypes are wanted and not given.
    """

    def __init__(
        self,
        detection: DetectionLoss,
        prototypes: GlobalPrototypes | None = None,
        teaching: TeachingLoss | None = None,
        label: AlignedLabelLoss | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        if unknown := set(weights or ()) - set(WEIGHTS):
            raise ValueError(f"unknown terms {', '.join(sorted(unknown))}; there are {', '.join(WEIGHTS)}")
        self.weights = {**WEIGHTS, **(weights or {})}
        if self.weights["prototypes"] and prototypes is None:
            raise ValueError("the term prototypes needs GlobalPrototypes; give some, or the weight 0")
        self.detection, self.prototypes = detection, prototypes
        self.teaching = teaching or TeachingLoss(detection.anchors, detection.matcher, detection.coder)
        self.label = label or AlignedLabelLoss()
        self.aligned = AlignedLogits(detection.anchors)

    @property
    def wants_teacher(self) -> bool:
        """Whether any term needs a teacher's output."""
        return any(self.weights[name] for name in TAUGHT)

    def forward(
        self,
        student: DetectorOutput,
        batch: Mapping[str, torch.Tensor],
        size: Sequence[int],
        teacher: DetectorOutput | None = None,
        ramp: float = 1.0,
    ) -> dict[str, torch.Tensor]:
        """The terms of a batch of N images.

        Args:
            student: output for all N.
            batch: "boxes" (N, M, 5), "box_known" (N, C) and "label" (N, C), as ``EncodeBoxTargetsd`` and
                ``EncodeLabeld`` make them.
            size: X, Y of the network's input.
            teacher: output for the images :func:`without_boxes` says, in order; needed where :attr:`wants_teacher`.
            ramp: factor on the teacher's terms.

        Returns:
            "loss", the weighted sum, and each term that has a weight, unweighted.
        """
        terms: dict[str, torch.Tensor] = {}
        if self.weights["boxes"]:
            terms["boxes"] = self.detection(student, batch["boxes"], batch["box_known"], size).total()
        if self.weights["label"] or self.weights["prototypes"]:
            terms |= self._image_level(student, batch["label"])
        if self.wants_teacher:
            if teacher is None:
                raise ValueError("these weights need a teacher's output")
            free = without_boxes(batch["box_known"])
            taught = self.teaching(
                DetectorOutput(*(part[free] for part in student)), teacher, batch["label"][free], size
            )
            values = dict(zip(TAUGHT, taught, strict=True))
            terms |= {name: value for name, value in values.items() if self.weights[name]}
        factors = {name: self.weights[name] * (ramp if name in TAUGHT else 1.0) for name in terms}
        # A graph also where everything is switched off; the sum leaves float16, and infinity times 0 is NaN.
        loss = sum((factors[name] * value for name, value in terms.items()), student.class_logits.float().sum() * 0)
        return {"loss": loss, **terms}

    def _image_level(self, student: DetectorOutput, label: torch.Tensor) -> dict[str, torch.Tensor]:
        attention = self.aligned.attention(student)
        logits = aligned_logits(student.class_maps, attention)
        terms = {}
        if self.weights["label"]:
            terms["label"] = self.label(logits, label)
        if self.weights["prototypes"] and self.prototypes is not None:
            pulled = self.prototypes(class_features(student.features, attention), logits, label)
            terms["prototypes"] = pulled.intra + pulled.inter
        return terms
