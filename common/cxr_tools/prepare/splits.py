"""A random split that keeps groups together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxr_common.errors import InputError


def draw_sections(groups: Sequence[str], fractions: tuple[float, float], seed: int) -> list[str]:
    """Draw a section for every image, whole groups at a time.

    Args:
        groups: group of each image.
        fractions: share of the *groups* that go to validation and to testing; rounded, the rest is training.
        seed: the same seed and set of groups give the same split, whatever the order of the images.

    Returns:
        ``training``, ``validation`` or ``testing`` for each image.

    Raises:
        InputError: the fractions are negative or leave no group for training.
    """
    names = sorted(set(groups))
    counts = [round(fraction * len(names)) for fraction in fractions]
    if min(fractions) < 0 or sum(counts) >= len(names):
        raise InputError(f"fractions {fractions} of {len(names)} groups leave none for training")
    order = np.random.default_rng(seed).permutation(len(names))
    bounds = np.cumsum(counts)
    section = {
        names[index]: "validation" if rank < bounds[0] else "testing" if rank < bounds[1] else "training"
        for rank, index in enumerate(order)
    }
    return [section[group] for group in groups]


def parse_fractions(text: str) -> tuple[float, float]:
    """The shares of validation and testing from the text of an option.

    Raises:
        InputError: it is not two numbers from 0 to 1 that leave something for training.
    """
    try:
        validation, testing = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"{text!r} is not two numbers", where="--fractions", action="write such as 0.15,0.15"
        ) from None
    # What is not a number fails each comparison.
    if not (0 <= validation < 1 and 0 <= testing < 1 and validation + testing < 1):
        raise InputError(f"{text!r} leaves nothing for training", "--fractions", "write such as 0.15,0.15")
    return validation, testing
