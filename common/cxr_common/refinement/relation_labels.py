"""Labels that inter-pixel relations are learned from: where a heatmap is sure of a finding, or sure of none.

A high threshold says what is surely a finding, a low one what is surely background, and between them a pixel is left
out. Ahn, Cho & Kwak, CVPR 2019 (arXiv 1904.05044), section 4.1; Gadgil et al., MIDL 2021 (arXiv 2102.10484) apply it to
every finding by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

#: The label of pixels, and pairs with them, that nothing is learned from.
IGNORE = 255

#: Refines label maps (1, X, Y) in 0..n_labels - 1, given n_labels: ``partial(refine_labels, image=...)`` of the CRF.
LabelRefiner = Callable[[torch.Tensor, int], torch.Tensor]


def single_label_relations(
    heatmaps: torch.Tensor,
    image_labels: Sequence[float | None] | torch.Tensor,
    foreground: float = 0.30,
    background: float = 0.05,
    refine: LabelRefiner | None = None,
) -> torch.Tensor:
    """One label map of an image whose findings do not overlap (IRNet, VOC).

    Only classes that the image has (1) compete. A class that is absent (0), uncertain (-1) or not annotated (None,
    NaN) never gives a label. With no class present the image is background throughout, as the rule says without
    competitors, unless a class is uncertain or not annotated: then nothing is known, and all of it is ignored.

    Args:
        heatmaps: (C, X, Y), each divided by its maximum, C at most 254; compared in float32.
        image_labels: C values.
        foreground: a pixel is the class of its largest heatmap where that is > foreground, after refinement.
        background: a pixel is background where none is > background, after refinement.
        refine: what is applied to the result of each threshold, such as the CRF; default nothing.

    Returns:
        (X, Y) uint8: class index + 1, 0 background, :data:`IGNORE`. Where the refined foreground rule names a class
        it wins over the background rule.

    Raises:
        ValueError: when numbers or shapes do not agree, heatmaps are NaN or thresholds not in order.
    """
    present, unknown = _gate(heatmaps, image_labels, foreground, background)
    if not present.any():
        value = IGNORE if unknown.any() else 0
        return torch.full(heatmaps.shape[1:], value, dtype=torch.uint8, device=heatmaps.device)
    keys = present.nonzero()[:, 0] + 1
    return _relations(heatmaps[present].float(), keys, foreground, background, refine)


def multi_label_relations(
    heatmaps: torch.Tensor,
    image_labels: Sequence[float | None] | torch.Tensor,
    foreground: float = 0.25,
    background: float = 0.10,
    refine: LabelRefiner | None = None,
) -> torch.Tensor:
    """A label map of every finding by itself, for findings that overlap (CheXseg).

    A finding that the image does not surely have gives :data:`IGNORE` throughout, not background: its map would say
    that there is no boundary anywhere, and boundaries are shared by all findings. So does one whose heatmap is
    nowhere positive.

    Args:
        heatmaps: (C, X, Y), C at most 254; each is divided by its maximum here, and compared in float32.
        image_labels: C values: 1 present, everything else not.
        foreground: see :func:`single_label_relations`, as background and refine.
        background: as there.
        refine: applied to the two labels of each finding.

    Returns:
        (C, X, Y) uint8: in map c the values c + 1, 0 background, :data:`IGNORE`.

    Raises:
        ValueError: as there.
    """
    present, _ = _gate(heatmaps, image_labels, foreground, background)
    labels = torch.full(heatmaps.shape, IGNORE, dtype=torch.uint8, device=heatmaps.device)
    for c in present.nonzero()[:, 0].tolist():
        heat = heatmaps[c : c + 1].float()
        if heat.max() > 0:
            key = torch.tensor([c + 1], device=heat.device)
            labels[c] = _relations(heat / heat.max(), key, foreground, background, refine)
    return labels


def reduce_labels(labels: torch.Tensor, stride: int = 4) -> torch.Tensor:
    """Nearest neighbours of label maps (..., X, Y) on the network's grid: the pixel at half a stride into each cell."""
    return labels[..., stride // 2 :: stride, stride // 2 :: stride]


def _relations(
    heat: torch.Tensor, keys: torch.Tensor, foreground: float, background: float, refine: LabelRefiner | None
) -> torch.Tensor:
    """The rule for the heatmaps (n, X, Y) of n >= 1 classes; keys are their label values."""
    strongest, index = heat.max(0)
    above = []
    for threshold in (foreground, background):
        # The threshold is rounded to float32 as well: a tie is background.
        labels = (index + 1).where(strongest > torch.tensor(threshold, device=heat.device), 0)
        above.append(labels if refine is None else refine(labels[None], len(heat) + 1)[0])
    named = torch.cat((keys.new_zeros(1), keys))[above[0]]
    return named.where((named > 0) | (above[1] == 0), IGNORE).to(torch.uint8)


def _gate(
    heatmaps: torch.Tensor, image_labels: Sequence[float | None] | torch.Tensor, foreground: float, background: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Check the arguments; which classes (C,) are present, and of which that is not known."""
    if not 0 <= background <= foreground:
        raise ValueError(f"background {background} must not be negative nor above foreground {foreground}")
    values = [float("nan") if v is None else float(v) for v in image_labels]
    if heatmaps.ndim != 3 or len(heatmaps) != len(values) or len(values) >= IGNORE:
        raise ValueError(f"heatmaps must be (C, X, Y) with C = {len(values)} < {IGNORE}, got {(*heatmaps.shape,)}")
    if heatmaps.isnan().any():
        raise ValueError("heatmaps must not be NaN")
    labels = torch.tensor(values, device=heatmaps.device)
    return labels == 1, (labels != 0) & (labels != 1)
