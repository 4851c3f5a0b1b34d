"""Bones as thickness in centimetres: spine, ribs, clavicles, scapulae, humeral heads."""

from __future__ import annotations

import numpy as np

from cxr_common.data.phantom.anatomy import SIDES, Patient
from cxr_common.data.phantom.fields import Array, coordinates, soft_step


def _tube(distance: Array, cortex: float, marrow: float) -> Array:
    """Thickness across a bone seen side on: thin marrow in the middle, dense cortex at both edges.

    ``distance`` runs from -1 to 1 over the bone.
    """
    square = distance * distance
    return (square < 1) * (np.float32(marrow) + np.float32(cortex) * square * square)


def make_bones(patient: Patient, size: int, rng: np.random.Generator) -> Array:
    """All bones of a patient, (size, size) in cm."""
    x, y = coordinates(size)
    middle = patient.shift * 0.6
    bone = spine(patient, size, rng)
    pitch, slope = rng.uniform(0.118, 0.135), rng.uniform(0.09, 0.13)
    strength = np.float32(rng.uniform(1.3, 2.1))
    for side in SIDES:
        outward = (x - middle) * side
        for k in range(10):
            reach = float(patient.lateral((k + 0.8) / 9.5)) + 0.02
            along = np.clip(outward / reach, 0, 1)
            height, half = patient.apex + 0.02 + k * pitch, 0.024 + 0.0015 * k
            end = soft_step(reach - outward, 0.008) * (outward > 0.06)
            # Posterior part: nearly level, rising a little before it falls to the side, where it is seen end on.
            line = height - 0.04 * np.sin(np.pi * along) + (slope + 0.012 * k) * along * along
            end_on = 1 + 1.4 * along**6
            bone += strength * _tube((y - line) / half, 0.75, 0.42) * end * end_on
            if 0 < k < 7:  # Anterior part: from the side down towards the sternum, fainter, ends in cartilage.
                line = height + slope + 0.012 * k + (1 - along) * (0.22 + 0.012 * k)
                inner = soft_step(outward - (0.28 + 0.012 * k), 0.04)
                bone += strength * _tube((y - line) / (half * 1.15), 0.42, 0.28) * end * inner
        bone += clavicle(patient, outward, y, rng) + shoulder(patient, outward, y)
    return bone


def spine(patient: Patient, size: int, rng: np.random.Generator) -> Array:
    """Vertebral column with discs, pedicles hinted by its denser borders."""
    x, y = coordinates(size)
    across = (x - patient.shift * 0.6) / np.float32(0.082)
    period, phase = rng.uniform(0.100, 0.112), rng.uniform(0, 1)
    level = np.cos(2 * np.pi * (y / (period + 0.015 * y) + phase))
    bodies = soft_step(level + 0.75, 0.25)
    return soft_step(1 - np.abs(across), 0.08) * (0.30 + 0.45 * bodies + 0.35 * bodies * across * across)


def clavicle(patient: Patient, outward: Array, y: Array, rng: np.random.Generator) -> Array:
    """An S-shaped bar from the sternum to the shoulder."""
    along = np.clip((outward - 0.07) / 0.6, 0, 1)
    tilt = rng.uniform(0.06, 0.15) if patient.view == "PA" else rng.uniform(0.0, 0.08)
    line = patient.apex + 0.17 - tilt * along + 0.035 * np.sin(2 * np.pi * along)
    half = 0.034 - 0.007 * np.sin(np.pi * along)
    return _tube((y - line) / half, 1.0, 0.9) * (outward > 0.07) * soft_step(0.68 - outward, 0.03)


def shoulder(patient: Patient, outward: Array, y: Array) -> Array:
    """Medial border of the scapula (rolled off the lungs on PA films) and the humeral head."""
    edge = 0.78 if patient.view == "PA" else 0.60
    blade = _tube((outward - edge - 0.10 * (y + 0.4)) / np.float32(0.05), 0.45, 0.15)
    blade = blade * soft_step(y + 0.60, 0.05) * soft_step(-0.05 - y, 0.1)
    head = 1 - ((outward - 0.90) ** 2 + (y - patient.apex - 0.14) ** 2) / np.float32(0.017)
    return blade + 2.0 * np.sqrt(np.clip(head, 0, 1))
