"""A chest: body, lungs, heart, mediastinum and vessels as thickness in centimetres along the beam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from cxr_common.data.phantom.fields import Array, coordinates, soft_step, texture

#: Sides of the picture: -1 is its left, the patient's right.
SIDES: tuple[int, int] = (-1, 1)


@dataclass
class Patient:
    """What varies from person to person; lengths in half field widths."""

    view: str
    sex: str
    age: int
    half_width: float
    base: float
    apex: float
    fat: float
    shift: float
    heart_ratio: float
    raised: dict[int, float]

    @classmethod
    def sample(cls, rng: np.random.Generator, findings: tuple[str, ...]) -> Patient:
        """Draw a patient that can have the findings: a large heart, a raised hemidiaphragm."""
        view = "AP" if rng.random() < 0.4 else "PA"
        raised = dict.fromkeys(SIDES, 0.0)
        side, height, has = SIDES[rng.integers(2)], rng.uniform(0.05, 0.12), rng.random() < 0.4
        if "Atelectasis" in findings and has:
            raised[side] = height
        large, normal = rng.uniform(0.57, 0.68), rng.uniform(0.39, 0.47)
        # AP films are taken close to the detector's far side: the heart is magnified.
        ratio = large if "Cardiomegaly" in findings else normal + (0.02 if view == "AP" else 0.0)
        return cls(
            view=view,
            sex="F" if rng.random() < 0.48 else "M",
            age=int(np.clip(rng.normal(54, 17), 18, 95)),
            half_width=rng.uniform(0.72, 0.84),
            base=0.46 + rng.uniform(-0.13, 0.09) - (0.04 if view == "AP" else 0.0),
            apex=-0.76 + rng.normal(0, 0.03),
            fat=rng.uniform(0, 1),
            shift=rng.normal(0, 0.02),
            heart_ratio=ratio,
            raised=raised,
        )

    def lateral(self, t: Array | float) -> Array:
        """Half width of the lungs at t = 0 (apex) to 1 (costophrenic angle)."""
        t = np.clip(np.asarray(t, dtype=np.float32), 0, 1)
        return self.half_width * (0.44 + 0.56 * np.sqrt(t) * (1.16 - 0.22 * t) - 0.01)


@dataclass
class Lung:
    """One lung: ``inside`` is its depth from the nearest border (negative outside), other fields its borders."""

    side: int
    outward: Array
    inside: Array
    lateral: Array
    top: Array
    dome: Array
    base: float


@dataclass
class Chest:
    """Thickness maps (size, size) in cm before bones and findings."""

    patient: Patient
    body: Array
    air: Array
    soft: Array
    lungs: dict[int, Lung]
    heart: Array
    centre: Array


def make_lung(patient: Patient, side: int, size: int, rng: np.random.Generator) -> Lung:
    """Borders of one lung."""
    x, y = coordinates(size)
    outward = (x - patient.shift) * side
    base = patient.base + (0.035 if side > 0 else 0.0) - patient.raised[side] + rng.normal(0, 0.012)
    t = (y - patient.apex) / (base + 0.2 - patient.apex)
    lateral = patient.lateral(t) + np.float32(rng.normal(0, 0.008))
    medial = 0.09 + 0.05 * np.clip(t, 0, 1)
    across = outward - (0.40 * patient.half_width + 0.05)
    dome = base + 0.02 + 0.7 * across**2 + 0.75 * np.clip(across, 0, 1) ** 2
    top = patient.apex + 1.9 * (outward - 0.26) ** 2
    inside = np.minimum(np.minimum(lateral - outward, outward - medial), np.minimum(dome - y, y - top))
    return Lung(side, outward, inside.astype(np.float32), lateral, top, dome, base)


def make_chest(patient: Patient, size: int, rng: np.random.Generator) -> Chest:
    """Body, lungs, heart and mediastinum of a patient."""
    x, y = coordinates(size)
    middle = x - patient.shift
    width = patient.half_width + 0.13 + 0.10 * patient.fat
    wall = width + 0.22 * soft_step(-(y + 0.30), 0.22) - (width - 0.08) * soft_step(-(y + 0.86), 0.10)
    within = np.clip(1 - (x / wall) ** 2, 0, 1)
    body = (19 + 6 * patient.fat) * np.sqrt(np.sqrt(within)) * (0.75 + 0.25 * soft_step(y + 0.55, 0.3))
    lungs = {side: make_lung(patient, side, size, rng) for side in SIDES}
    air = np.zeros((size, size), dtype=np.float32)
    for lung in lungs.values():
        depth = np.sqrt(np.clip(lung.inside / 0.24, 0, 1))
        air += soft_step(lung.inside, 0.012) * (0.45 + 0.55 * depth) * 12.5
    heart, resting = make_heart(patient, size, rng)
    knob = 0.045 * rng.uniform(0.5, 1.6) * np.exp(-(((y + 0.30) / 0.085) ** 2))
    half = 0.115 + 0.025 * patient.fat + 0.03 * soft_step(y, 0.2) + 0.03 * soft_step(-0.5 - y, 0.2)
    border = np.where(x > patient.shift, half + knob, half + 0.02 * soft_step(y + 0.1, 0.2))
    mediastinum = soft_step(border - np.abs(middle), 0.018) * soft_step(patient.base + 0.1 - y, 0.04)
    centre = np.maximum(np.maximum(soft_step(1 - heart, 0.05), mediastinum), resting)
    air = air * (1 - centre)
    soft = vessels(patient, size, rng) * np.clip(air / 8, 0, 1)
    return Chest(patient, body, air, soft, lungs, heart, centre)


def make_heart(patient: Patient, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The heart, whose width over the thorax' is ``heart_ratio``.

    Returns:
        Elliptic radius (size, size), below 1 inside the heart; and the shadow (size, size), 0 to 1, where it rests on
        the diaphragm and no lung is seen below it.
    """
    x, y = coordinates(size)
    semi = float(patient.lateral(0.86)) * patient.heart_ratio
    cx = patient.shift + 0.30 * semi + rng.normal(0, 0.01)
    cy = patient.base - 0.58 * semi + rng.normal(0, 0.015)
    cos, sin = np.float32(np.cos(0.62)), np.float32(np.sin(0.62))
    along, over = (x - cx) * cos + (y - cy) * sin, (y - cy) * cos - (x - cx) * sin
    # A tilted ellipse of semi-axes a, b is sqrt((a cos)^2 + (b sin)^2) wide; a, b are chosen so that this is ``semi``.
    a, b = 1.12 * semi, 0.71 * semi
    resting = soft_step(0.78 * semi - np.abs(x - cx), 0.03) * soft_step(y - cy, 0.03)
    return np.sqrt((along / a) ** 2 + (over / b) ** 2).astype(np.float32), resting.astype(np.float32)


def vessels(patient: Patient, size: int, rng: np.random.Generator) -> Array:
    """Hila and vessels (size, size) in cm: ridges that run outward from each hilum and thin out."""
    x, y = coordinates(size)
    out = np.zeros((size, size), dtype=np.float32)
    for side, height in ((-1, -0.06), (1, -0.11)):
        dx, dy = (x - patient.shift - side * 0.15) * side, y - np.float32(height)
        radius = np.sqrt(dx * dx + dy * dy) + np.float32(1e-3)
        angle = np.arctan2(dy, dx)
        rays = rng.standard_normal((64, 14)).astype(np.float32)
        where = [(angle / np.pi + 1) * 24 + 4 + 2.0 * np.log(radius + 0.05), np.clip(radius * 10, 0, 12.5)]
        wave = ndimage.map_coordinates(rays, where, order=1, mode="nearest")
        ridge = np.clip(1 - np.abs(wave) * 2.2, 0, 1)
        out += ridge * np.exp(-radius / 0.34) * (dx > -0.05) * np.float32(3.6)
        out += 3.4 * np.exp(-((dx - 0.04) ** 2 / 0.004 + dy * dy / 0.014)).astype(np.float32)
    fine, coarse = texture(rng, size, max(size // 6, 8)), texture(rng, size, max(size // 13, 6))
    return out + 0.40 * np.clip(fine, 0, 3) + 0.40 * np.clip(coarse, 0, 3)
