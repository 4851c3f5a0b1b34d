"""Findings as changes of a chest's thickness maps, each with the mask a reader would outline.

A finding displaces air by soft tissue (or the reverse), so the beam sees it through the ribs in front of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_common.data.phantom.anatomy import SIDES, Chest, Lung
from cxr_common.data.phantom.config import PhantomConfig
from cxr_common.data.phantom.fields import FIELD_CM, Array, blur, coordinates, soft_step, texture

Mask = NDArray[np.bool_]


@dataclass
class Changes:
    """What findings do to a chest, all (size, size).

    Attributes:
        filled: part of the air that soft tissue takes, [0, 1].
        tissue: soft tissue in place of air, cm.
        vessels: factor on the vessels.
        air: factor on the air.
    """

    filled: Array
    tissue: Array
    vessels: Array
    air: Array

    @classmethod
    def none(cls, size: int) -> Changes:
        """A chest left as it is."""
        zeros, ones = np.zeros((size, size), dtype=np.float32), np.ones((size, size), dtype=np.float32)
        return cls(zeros, zeros.copy(), ones, ones.copy())


Simulator = Callable[[Chest, Changes, PhantomConfig, np.random.Generator], list[Mask]]


def _place(
    chest: Chest, margin: float, rng: np.random.Generator, low: float = -0.6, high: float = 0.5
) -> tuple[Lung, float, float]:
    """A lung and a point in it, at least ``margin`` from its border and clear of heart and mediastinum."""
    lung = chest.lungs[SIDES[rng.integers(2)]]
    size = lung.inside.shape[0]
    x, y = coordinates(size)
    clear = (lung.inside > margin) & (y > low) & (y < high) & (chest.centre < 0.2)
    points = np.flatnonzero(clear)
    if not len(points):
        points = np.flatnonzero((lung.inside > 0.02) & (chest.centre < 0.2))
    if not len(points):
        points = np.array([int(lung.inside.argmax())])
    row, column = divmod(int(points[rng.integers(len(points))]), size)
    return lung, float(x[0, column]), float(y[row, 0])


def nodule(chest: Chest, changes: Changes, config: PhantomConfig, rng: np.random.Generator) -> list[Mask]:
    """One or two round opacities of 8 to 20 mm, with a smooth edge; some calcified, so denser."""
    x, y = coordinates(config.size)
    masks = []
    for _ in range(1 + (rng.random() < 0.3)):
        radius = rng.uniform(0.020, 0.048) * config.scale
        _, px, py = _place(chest, radius + 0.015, rng)
        square = ((x - px) ** 2 + (y - py) ** 2) / np.float32(radius**2)
        density = rng.uniform(1.2, 2.2)
        changes.tissue += radius * FIELD_CM * density * config.contrast * np.sqrt(np.clip(1 - square, 0, 1))
        masks.append(square < 1)
    return masks


def mass(chest: Chest, changes: Changes, config: PhantomConfig, rng: np.random.Generator) -> list[Mask]:
    """One lobulated opacity of more than 30 mm."""
    x, y = coordinates(config.size)
    radius = rng.uniform(0.080, 0.150) * config.scale
    lung, px, py = _place(chest, 0.5 * radius, rng)
    angle = np.arctan2(y - py, x - px)
    outline = np.ones_like(angle)
    for k in range(2, 7):
        outline += np.float32(rng.normal(0, 0.06)) * np.cos(k * angle + np.float32(rng.uniform(0, 6.28)))
    square = ((x - px) ** 2 + (y - py) ** 2) / (radius * outline) ** 2
    inside = soft_step(lung.inside + 0.01, 0.015)
    bulk = np.sqrt(np.clip(1 - square, 0, 1)) * inside
    changes.tissue += radius * FIELD_CM * rng.uniform(0.75, 1.05) * config.contrast * bulk
    return [(square < 1) & (lung.inside > -0.01)]


def consolidation(chest: Chest, changes: Changes, config: PhantomConfig, rng: np.random.Generator) -> list[Mask]:
    """Patchy airspace opacity with a ragged edge in one lung, now and then in both."""
    x, y = coordinates(config.size)
    masks = []
    for _ in range(1 + (rng.random() < 0.25)):
        lung, px, py = _place(chest, 0.07, rng)
        sx, sy = rng.uniform(0.11, 0.21, 2) * config.scale
        shape = np.exp(-0.5 * (((x - px) / sx) ** 2 + ((y - py) / sy) ** 2)).astype(np.float32)
        shape = shape + 0.15 * texture(rng, config.size, 9) + 0.07 * texture(rng, config.size, 24)
        near = ((x - px) / sx) ** 2 + ((y - py) / sy) ** 2 < 6
        patch = soft_step(shape - 0.45, 0.16) * soft_step(lung.inside, 0.012) * near
        grain = np.clip(0.78 + 0.22 * texture(rng, config.size, 28), 0.25, 1)
        amount = np.clip(rng.uniform(0.32, 0.70) * config.contrast, 0, 1)
        changes.filled = np.maximum(changes.filled, patch * grain * np.float32(amount))
        masks.append((shape > 0.45) & near & (lung.inside > 0) & (chest.centre < 0.5))
    return masks


def effusion(chest: Chest, changes: Changes, config: PhantomConfig, rng: np.random.Generator) -> list[Mask]:
    """Fluid at the base: a blunted costophrenic angle up to half a lung, its surface rising to the side (meniscus)."""
    _, y = coordinates(config.size)
    both, first = rng.random() < 0.3, SIDES[rng.integers(2)]
    masks = []
    for side in SIDES if both else (first,):
        lung = chest.lungs[side]
        level = lung.base - rng.uniform(-0.01, 0.26)
        from_side = np.clip((lung.lateral - lung.outward) / 0.45, 0, 1)
        surface = level + 0.03 - 0.24 * (1 - from_side) ** 3
        fluid = soft_step(y - surface, 0.025) * soft_step(lung.inside, 0.012)
        changes.filled = np.maximum(changes.filled, fluid * np.float32(min(0.92 * config.contrast, 1)))
        masks.append((y > surface) & (lung.inside > 0) & (chest.centre < 0.5))
    return masks


def pneumothorax(chest: Chest, changes: Changes, config: PhantomConfig, rng: np.random.Generator) -> list[Mask]:
    """Air between lung and chest wall: a thin visceral pleural line, and no vessels beyond it."""
    _, y = coordinates(config.size)
    lung = chest.lungs[SIDES[rng.integers(2)]]
    width = rng.uniform(0.06, 0.17)
    profile = np.clip(1.2 - 0.75 * (y - chest.patient.apex), 0.25, 1.2)
    depth = np.minimum(lung.lateral - lung.outward, 0.8 * (y - lung.top))
    beyond = blur((depth - np.float32(width) * profile).astype(np.float32), config.size / 90)
    inside = soft_step(lung.inside, 0.012)
    space = soft_step(-beyond, 0.008) * inside
    changes.vessels *= 1 - space
    changes.air *= 1 + 0.12 * space
    # The collapsed lung holds less air in the same depth.
    changes.filled = np.maximum(changes.filled, 0.06 * soft_step(beyond, 0.01) * inside)
    line = np.exp(-((beyond / 0.0075) ** 2)) * inside
    changes.tissue += 2.0 * config.contrast * line
    return [(beyond < 0) & (lung.inside > 0) & (chest.centre < 0.5)]


def cardiomegaly(chest: Chest, changes: Changes, config: PhantomConfig, rng: np.random.Generator) -> list[Mask]:
    """An enlarged heart; the patient was drawn with it, so only its outline is given here."""
    return [chest.heart < 1]


def atelectasis(chest: Chest, changes: Changes, config: PhantomConfig, rng: np.random.Generator) -> list[Mask]:
    """One to three plate-like bands at a lung base; the hemidiaphragm of some patients is raised."""
    x, y = coordinates(config.size)
    raised = [side for side, height in chest.patient.raised.items() if height > 0]
    lung = chest.lungs[raised[0] if raised else SIDES[rng.integers(2)]]
    union = np.zeros((config.size, config.size), dtype=bool)
    for _ in range(int(rng.integers(1, 4))):
        px, py = rng.uniform(0.26, 0.46), lung.base - rng.uniform(0.06, 0.26)
        length, half = rng.uniform(0.12, 0.22) * config.scale, rng.uniform(0.010, 0.020)
        along = lung.outward - np.float32(px)
        off = (y - py) - rng.normal(0, 0.22) * along - 0.3 * along * along
        reach = soft_step(length - np.abs(along), 0.03) * soft_step(lung.inside, 0.012)
        changes.tissue += rng.uniform(2.6, 4.6) * config.contrast * np.exp(-((off / half) ** 2)) * reach
        union |= (np.abs(off) < 1.5 * half) & (np.abs(along) < length) & (lung.inside > 0) & (chest.centre < 0.5)
    return [union]


#: In this order, whatever order an image's findings were drawn in.
SIMULATORS: dict[str, Simulator] = {
    "Cardiomegaly": cardiomegaly,
    "Consolidation": consolidation,
    "Effusion": effusion,
    "Pneumothorax": pneumothorax,
    "Atelectasis": atelectasis,
    "Mass": mass,
    "Nodule": nodule,
}
