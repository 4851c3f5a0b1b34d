"""Put the generator's findings into a given radiograph whose lungs are outlined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cxr_common.data.phantom.config import FINDINGS, PhantomConfig
from cxr_common.data.phantom.fields import Array, blur
from cxr_common.data.phantom.given_chest import Frame, chest_from_masks, split_lungs
from cxr_common.data.phantom.outline import Box, outline
from cxr_common.data.phantom.simulators import SIMULATORS, Changes, Mask
from cxr_common.errors import InputError

#: A large heart is another patient, not something put into the lungs.
SIMULATED: tuple[str, ...] = tuple(name for name in FINDINGS if name != "Cardiomegaly")
_ATTEMPTS = 50
#: Of the lungs, in pixels.
_LEAST_HEIGHT = 16
#: Least difference of soft tissue to lung in logits of brightness.
_LEAST = 0.35
#: Films are steeper at the lungs' end: what takes a tenth of the air away adds more than a tenth of the difference.
_STEEPNESS = 2.2
#: A finding on less than this part of the lungs' area counts as not there and is drawn anew.
_SMALLEST = dict.fromkeys(SIMULATED, 0.0) | {"Effusion": 0.02, "Pneumothorax": 0.03, "Consolidation": 0.02}


@dataclass
class Simulated:
    """A radiograph with findings put in. Pictures are [row, column].

    Attributes:
        image: float32 in [0, 1], of the given shape.
        masks: finding -> bool, of the given shape, inside the lungs; Opacity comes with Consolidation.
        boxes: (finding, x0, y0, x1, y1) half-open pixels, one a lesion.
    """

    image: NDArray[np.float32]
    masks: dict[str, Mask]
    boxes: list[Box]


def simulate_findings(
    image: NDArray[np.floating],
    lung_mask: Mask | Mapping[str, Mask],
    findings: Sequence[str],
    seed: int = 0,
    contrast: float = 1.0,
    scale: float = 1.0,
) -> Simulated:
    """Put findings into a frontal chest radiograph.

    What a finding adds is attenuation: soft tissue in place of air. How bright that is comes from the picture itself,
    from the levels of its lungs and of the soft tissue between them.

    Args:
        image: [row, column], at least 64 x 64, float in [0, 1], bright = dense, head up.
        lung_mask: bool, of the same shape, True in both lungs; or {"left": mask, "right": mask} of the patient's lungs,
            of which the right one is at the picture's left.
        findings: of ``SIMULATED``.
        seed: draws places and shapes, one stream a finding: each finding stays where it is if others are added.
        contrast: factor on what a finding adds to the attenuation.
        scale: factor on the extent of nodules, masses, consolidations and atelectasis.

    Raises:
        InputError: when an argument is none of these, or the lungs are too small to hold a finding.
    """
    findings = (findings,) if isinstance(findings, str) else tuple(findings)
    _check_findings(findings)
    picture = _check_image(image)
    lungs = _check_lungs(lung_mask, picture.shape)
    if seed < 0:
        raise InputError(f"is {seed}", "seed", "give 0 or more")
    frame = Frame.of(lungs)
    config = PhantomConfig(size=frame.size, contrast=contrast, scale=scale)
    if not findings:
        return Simulated(picture.copy(), {}, [])
    films = _logit(frame.picture_to_grid(picture))
    chest = chest_from_masks({side: frame.mask_to_grid(mask) for side, mask in lungs.items()})
    lung = chest.air > 0
    lungs_level, tissue_level = _levels(films, lung)
    # Outlines often take in the lung behind the heart, where nothing that is put in would be seen.
    chest.centre = _hidden(films, lung, tissue_level)
    visible = np.any(list(lungs.values()), axis=0) & ~frame.mask_to_image(chest.centre > 0.5)
    changes, lesions = Changes.none(frame.size), {}
    for number, name in enumerate(SIMULATORS):
        if name not in findings:
            continue
        rng = np.random.default_rng(np.random.SeedSequence((seed, number)))
        for _ in range(_ATTEMPTS):
            own = Changes.none(frame.size)
            drawn = [frame.mask_to_image(mask) for mask in SIMULATORS[name](chest, own, config, rng)]
            lesions[name] = [_without_crumbs(mask & visible) for mask in drawn]
            if _is_seen(name, drawn, lesions[name], _SMALLEST[name] * min(scale, 1) ** 2 * visible.sum()):
                break
        else:
            raise InputError(f"no room for {name}", "lung_mask", "give whole lungs, or a larger picture")
        changes = _both(changes, own)
    outlined, boxes = outline(lesions)
    seen = 1 - blur(chest.centre, frame.size / 128)
    change = _change(films, chest.air, changes, seen * _difference(tissue_level - lungs_level, lung))
    return Simulated(np.clip(picture + frame.picture_to_image(change), 0, 1), outlined, boxes)


def _check_findings(findings: tuple[str, ...]) -> None:
    if "Cardiomegaly" in findings:
        reason = "Cardiomegaly cannot be put into a given radiograph"
        raise InputError(reason, "findings", f"choose from {', '.join(SIMULATED)}, or make a phantom")
    unknown = sorted({str(name) for name in findings} - set(SIMULATED))
    if unknown:
        raise InputError(f"unknown {', '.join(unknown)}", "findings", f"choose from {', '.join(SIMULATED)}")


def _check_image(image: NDArray[np.floating]) -> NDArray[np.float32]:
    picture = np.asarray(image)
    if picture.ndim != 2 or min(picture.shape) < 64:
        raise InputError(f"shape is {picture.shape}", "image", "give [row, column] of at least 64 x 64")
    if not np.issubdtype(picture.dtype, np.floating):
        raise InputError(f"type is {picture.dtype}", "image", "give floats in [0, 1]")
    if not np.isfinite(picture).all():
        raise InputError("has values that are not finite", "image", "give floats in [0, 1]")
    if picture.min() < 0 or picture.max() > 1:
        raise InputError(f"values are {picture.min():.4g} to {picture.max():.4g}", "image", "scale them to [0, 1]")
    return picture.astype(np.float32)


def _check_lungs(lung_mask: Mask | Mapping[str, Mask], shape: tuple[int, ...]) -> dict[int, Mask]:
    """Checked masks by side of the picture: -1 its left, 1 its right."""
    if isinstance(lung_mask, Mapping):
        if set(lung_mask) != {"left", "right"}:
            raise InputError(f"keys are {', '.join(map(str, lung_mask))}", "lung_mask", "give left and right")
        given = {-1: np.asarray(lung_mask["right"]), 1: np.asarray(lung_mask["left"])}
    else:
        given = {0: np.asarray(lung_mask)}
    for mask in given.values():
        if mask.shape != shape:
            raise InputError(f"shape is {mask.shape}, the image's {shape}", "lung_mask", "give it the image's shape")
        if mask.dtype != np.bool_:
            raise InputError(f"type is {mask.dtype}", "lung_mask", "give booleans, such as mask > 0")
    whole = np.any(list(given.values()), axis=0)
    if not whole.any():
        raise InputError("is empty", "lung_mask", "outline the lungs")
    if np.ptp(np.nonzero(whole)[0]) < _LEAST_HEIGHT or whole.sum() < _LEAST_HEIGHT**2:
        raise InputError(f"has only {whole.sum()} pixels", "lung_mask", "give whole lungs, or a larger picture")
    return split_lungs(given[0]) if 0 in given else {side: mask for side, mask in given.items() if mask.any()}


def _without_crumbs(mask: Mask) -> Mask:
    """The parts of a lesion that make up at least a twentieth of it."""
    numbered, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    areas = np.bincount(numbered.ravel())
    areas[0] = 0
    return (areas >= max(0.05 * areas.sum(), 1))[numbered]


def _is_seen(name: str, drawn: list[Mask], seen: list[Mask], smallest: float) -> bool:
    """Whether enough is left of the lesions as drawn: each of them, and where they are round, most of each."""
    least = 0.7 if name in ("Nodule", "Mass") else 0.0
    areas = [(int(mask.sum()), int(part.sum())) for mask, part in zip(drawn, seen, strict=True)]
    return all(part > 0 and part >= least * whole for whole, part in areas) and sum(p for _, p in areas) >= smallest


def _both(first: Changes, second: Changes) -> Changes:
    """Two findings together."""
    return Changes(
        np.maximum(first.filled, second.filled),
        first.tissue + second.tissue,
        first.vessels * second.vessels,
        first.air * second.air,
    )


def _change(level: Array, air: Array, changes: Changes, difference: Array) -> Array:
    """What to add to a picture, all (n, n) on the grid.

    Brightness is taken as a sigmoid of attenuation, which films and most VOIs are about: so a dense finding levels off
    below white, and ribs and vessels fade in it.

    Args:
        level: logit of the picture.
        air: depth of the lungs in cm, 0 outside.
        changes: of all findings.
        difference: of the soft tissue's level to that of the lungs, 0 where nothing can be seen.
    """
    lung = air > 0
    left = np.clip(air * changes.air * (1 - changes.filled) - changes.tissue, 0, None)
    added = difference * np.where(lung, 1 - (left / np.maximum(air, 1)) ** _STEEPNESS, 0)
    # Vessels are what is narrower than some 7 mm; ribs are wider.
    width = max(3, round(len(level) * 0.0175) | 1)
    vessels = level - ndimage.grey_opening(level, size=(width, width))
    fade = np.where(lung & (difference > 0), 1 - changes.vessels * (1 - changes.filled), 0)
    after = level + added - 0.8 * fade * vessels
    return (_sigmoid(after) - _sigmoid(level)).astype(np.float32)


def _levels(level: Array, lung: Mask) -> tuple[Array, float]:
    """Smooth level of the lungs (n, n), and the level of the soft tissue between them."""
    sigma = len(level) / 40
    weight = blur(lung.astype(np.float32), sigma)
    mean = float(level[lung].mean())
    lungs_level = (blur(np.where(lung, level, 0).astype(np.float32), sigma) + 0.05 * mean) / (weight + 0.05)
    across = np.maximum.accumulate(lung, 1) & np.maximum.accumulate(lung[:, ::-1], 1)[:, ::-1] & ~lung
    tissue = level[across] if across.sum() > 50 else level[ndimage.binary_dilation(lung, iterations=5) & ~lung]
    return lungs_level, float(np.quantile(tissue, 0.75)) if len(tissue) else mean + 2


def _difference(difference: Array, lung: Mask) -> Array:
    """White lungs leave little to add; what is put in must still be visible."""
    return np.clip(difference, max(0.25 * float(np.median(difference[lung])), _LEAST), None)


def _hidden(level: Array, lung: Mask, tissue_level: float) -> Array:
    """1 where the lungs (n, n) are nearer to the soft tissue's level than to their own, else 0."""
    own = float(np.quantile(level[lung], 0.35))
    smooth = blur(level.astype(np.float32), len(level) / 60)
    bright = lung & (smooth > own + 0.55 * (tissue_level - own))
    numbered, count = ndimage.label(bright)
    areas = np.bincount(numbered.ravel(), minlength=count + 1)
    areas[0] = 0
    return (areas >= 0.03 * lung.sum())[numbered].astype(np.float32)  # ribs and tubes are no hindrance


#: Keeps the logit of black and white finite.
_MARGIN = 0.04


def _logit(picture: Array) -> Array:
    inner = _MARGIN + (1 - 2 * _MARGIN) * picture
    return np.log(inner / (1 - inner))


def _sigmoid(level: Array) -> Array:
    return (1 / (1 + np.exp(-level)) - _MARGIN) / (1 - 2 * _MARGIN)
