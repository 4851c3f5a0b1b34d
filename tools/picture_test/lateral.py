"""Simulated lateral views: thickness maps of a chest seen from its side, exposed as the phantoms are.

No lateral radiograph lies in ../shared. What is here has the large shapes of one: one field of both lungs between the
heart in front and the spine behind, dense shoulders above, domes of the diaphragm below.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from cxr_common.data.phantom.fields import Array, coordinates, soft_step, texture
from cxr_common.data.phantom.physics import attenuation, display, expose


def make_lateral(seed: int, index: int, size: int = 96) -> Array:
    """A simulated lateral view (size, size) in [0, 1]; the patient faces either side."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, index)))
    x, y = coordinates(size)  # the front at x = -1
    depth, lean = rng.uniform(0.46, 0.68), rng.uniform(-0.10, 0.10)
    middle = lean * y + rng.normal(0, 0.03)
    half = depth * (0.80 + 0.20 * np.sqrt(np.clip((y + 1) / 1.3, 0, 1))) - 0.2 * soft_step(-(y + 0.8), 0.1)
    u = (x - middle) / half  # -1 at the breastbone, 1 at the back's skin
    body = rng.uniform(26, 34) * np.sqrt(np.sqrt(np.clip(1 - u**2, 0, 1)))
    arms = 14 * soft_step(-(y + rng.uniform(0.50, 0.68) + 0.25 * u), 0.15) * (np.abs(u) < 1.3) * rng.uniform(0.4, 1)

    air = np.zeros((size, size), np.float32)
    base, apex = rng.uniform(0.35, 0.60), rng.uniform(-0.80, -0.68)
    for lift in (0.0, rng.uniform(0.03, 0.09)):  # two domes, two lungs
        dome = base - lift + 0.45 * np.clip(u + 0.15, 0, 1) ** 2 + 0.30 * np.clip(-u - 0.2, 0, 1) ** 2
        front, back = u + 0.80 - 0.35 * soft_step(-(y + 0.35), 0.3), 0.84 - u
        inside = np.minimum(np.minimum(front, back) * half, np.minimum(dome - y, y - apex))
        air += soft_step(inside, 0.02) * (0.4 + 0.6 * np.sqrt(np.clip(inside / 0.2, 0, 1))) * rng.uniform(8, 11)

    hx, hy = -0.38 + rng.normal(0, 0.05), base - rng.uniform(0.14, 0.22)
    wide, high = rng.uniform(0.34, 0.46), rng.uniform(0.24, 0.34)
    tilt = (u - hx) - 0.5 * (y - hy)
    heart = np.clip(1 - (tilt / wide) ** 2 - ((y - hy) / high) ** 2, 0, 1)
    air *= 1 - rng.uniform(0.55, 0.8) * np.sqrt(heart)
    hila = np.exp(-(((u + 0.02) / 0.14) ** 2) - ((y + 0.12) / 0.12) ** 2)
    air = np.clip(air - 4 * hila - 0.9 * np.clip(texture(rng, size, 14), 0, 3) * (air > 2), 0, None)
    air += 1.8 * np.sqrt(np.clip(1 - ((u + 0.02 - 0.2 * y) / 0.06) ** 2, 0, 1)) * soft_step(-0.12 - y, 0.05)

    curve = 0.62 + 0.14 * np.cos(1.6 * (y + 0.1)) - 0.08
    column = soft_step(0.13 - np.abs(u - curve), 0.03)
    blocks = 0.55 + 0.45 * (np.sin(y * rng.uniform(24, 32) + rng.uniform(0, 6)) > -0.6)
    bone = rng.uniform(2.0, 3.4) * column * blocks
    bone += 1.2 * soft_step(0.03 - np.abs(u + 0.90), 0.02) * (y < base)  # breastbone
    slant = np.sin((y - rng.uniform(0.3, 0.7) * (0.9 - u)) * rng.uniform(20, 27) + rng.uniform(0, 6))
    bone += rng.uniform(0.2, 0.6) * (slant > 0.72) * (np.abs(u) < 0.92) * (y < base + 0.2)

    film = expose(attenuation(body + arms, air, bone * np.clip(body / 4, 0, 1)).astype(np.float32), rng)
    return _framed(display(film, rng), depth, rng)


def _framed(picture: Array, depth: float, rng: np.random.Generator) -> Array:
    """Collimated to the body, its greys stretched as a reader's window does, mirrored half the time."""
    size = len(picture)
    half, top, bottom = depth * rng.uniform(0.85, 1.15), rng.uniform(-1, -0.75), rng.uniform(0.65, 1)
    left, upper, right, lower = ((edge + 1) / 2 * size for edge in (-half, top, half, bottom))
    image = Image.fromarray(picture.astype(np.float32)).rotate(rng.normal(0, 4), Image.Resampling.BILINEAR)
    part = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=(left, upper, right, lower)))
    low, high = np.quantile(part, (rng.uniform(0.02, 0.15), rng.uniform(0.85, 0.99)))
    part = np.clip((part - low) / max(high - low, 1e-3), 0, 1) ** rng.uniform(0.6, 1.4)
    return part[:, ::-1] if rng.random() < 0.5 else part
