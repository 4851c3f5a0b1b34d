"""The strong view that a student learns from while its teacher sees the plain image."""

from __future__ import annotations

from monai.config import KeysCollection
from monai.transforms import (
    Compose,
    OneOf,
    RandAdjustContrastd,
    RandCoarseDropoutd,
    RandGaussianNoised,
    RandGaussianSharpend,
    RandGaussianSmoothd,
    RandHistogramShiftd,
)

from cxr_common.transforms.augmentation import RandBrightnessContrastd


def strong_augmentation(
    keys: KeysCollection = "image_strong",
    prob: float = 0.9,
    brightness: float = 0.3,
    contrast: float = 0.3,
    gamma: tuple[float, float] = (0.5, 2.0),
    noise: float = 0.05,
    sigma: tuple[float, float] = (0.25, 1.5),
    cutout: tuple[int, int] = (12, 48),
    cutout_prob: float = 0.9,
) -> Compose:
    """One random change of intensities, then one rectangle blanked; no geometry, so boxes stay where they are.

    OXnet's code draws from the colour operations of STAC (Sohn 2020) for both views. Here only the student's view is
    changed, as a mean teacher's is, and the operations are those that make a plausible radiograph: tone curves for
    AutoContrast, Equalize, Brightness and Contrast, blur and sharpening for Sharpness. Solarize and Posterize are left
    out: they turn lucent into dense.

    Put it after a ``CopyItemsd`` that makes the second view. It is seeded with the pipeline it stands in.

    Args:
        keys: images (C, X, Y) in [0, 1], all changed alike.
        prob: probability of the change of intensities.
        brightness: largest shift.
        contrast: largest relative change of the range.
        gamma: range of the exponent.
        noise: largest standard deviation of noise.
        sigma: range of the blur, pixels.
        cutout: smallest and largest side of the rectangle, pixels; filled with 0.5, a mean grey.
        cutout_prob: probability of the rectangle.
    """
    one_of = OneOf(
        [
            RandBrightnessContrastd(keys, brightness=brightness, contrast=contrast, prob=prob),
            RandAdjustContrastd(keys, gamma=gamma, prob=prob),
            RandHistogramShiftd(keys, num_control_points=(5, 10), prob=prob),
            RandGaussianSmoothd(keys, sigma_x=sigma, sigma_y=sigma, prob=prob),
            RandGaussianSharpend(keys, alpha=(1.0, 5.0), prob=prob),
            RandGaussianNoised(keys, std=noise, prob=prob),
        ]
    )
    low, high = cutout
    hole = RandCoarseDropoutd(keys, holes=1, spatial_size=low, max_spatial_size=high, fill_value=0.5, prob=cutout_prob)
    return Compose([one_of, hole])
