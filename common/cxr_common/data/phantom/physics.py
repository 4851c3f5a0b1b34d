"""From thickness maps to a radiograph: attenuation, scatter, noise, detector response, display."""

from __future__ import annotations

import numpy as np

from cxr_common.data.phantom.fields import Array, blur

# Effective linear attenuation coefficients at chest energies, 1/cm. Round values of the right order: soft tissue near
# that of water, inflated lung a quarter of it, trabecular and cortical bone mixed.
SOFT, LUNG, BONE = 0.20, 0.06, 0.45
#: Scattered over primary radiation behind an anti-scatter grid, averaged over the picture.
SCATTER = 0.8


def attenuation(body: Array, air: Array, bone: Array) -> Array:
    """Line integral of attenuation.

    Args:
        body: thickness along the beam in cm.
        air: inflated lung within it, cm.
        bone: bone within it, cm.
    """
    soft = np.clip(body - air - bone, 0, None)
    return SOFT * soft + LUNG * air + BONE * bone


def expose(integral: Array, rng: np.random.Generator) -> Array:
    """Detector signal: Beer-Lambert, scatter (a wide blur of the primary), quantum noise, detector blur.

    Args:
        integral: attenuation (n, n).
        rng: source of the noise; dose varies from film to film.

    Returns:
        -log of the signal, (n, n).
    """
    size = integral.shape[0]
    primary = np.exp(-integral)
    signal = primary + SCATTER * blur(primary, size / 20)
    dose = 10 ** rng.uniform(4.3, 5.2)
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    # Gaussian for Poisson: tens of thousands of quanta a pixel. Beams are hardest to stop where the body is thick.
    signal = signal + noise * np.sqrt(signal / np.float32(dose))
    return -np.log(np.clip(blur(signal, 0.55 * size / 256), 1e-6, None))


def display(film: Array, rng: np.random.Generator) -> Array:
    """The VOI of a film: a sigmoid over its own range, varied in brightness and contrast; [0, 1], bright = dense."""
    n = film.shape[0]
    low, high = np.quantile(film[n // 10 : -n // 10 : 4, n // 8 : -n // 8 : 4], [0.01, 0.985])
    scaled = (film - low) / (high - low)
    centre, slope = rng.uniform(0.30, 0.52), rng.uniform(1.8, 4.0)
    curve = 1 / (1 + np.exp(-slope * (scaled - centre)))
    black, white = 1 / (1 + np.exp(slope * (centre + 0.05))), 1 / (1 + np.exp(-slope * (1.03 - centre)))
    return np.clip((curve - black) / (white - black), 0, 1).astype(np.float32)
