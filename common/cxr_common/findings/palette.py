"""Colours of the classes: Okabe and Ito's, which stay apart under the common colour vision deficiencies.

Okabe and Ito, "Color Universal Design", 2008. Their black and their dark blue would vanish on a radiograph, so white
and a lighter blue stand in for them.
"""

from __future__ import annotations

Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (255, 255, 255),  # white
    (213, 94, 0),  # vermillion
    (204, 121, 167),  # reddish purple
    (128, 138, 255),  # blue, lighter than theirs
)


def class_colour(index: int) -> Colour:
    """The colour of the class in channel `index`, the same in every picture.

    Colours repeat after eight classes, so a name always stands beside a colour.
    """
    return PALETTE[index % len(PALETTE)]


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever reads better on `background` (WCAG relative luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in background)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if (luminance + 0.05) ** 2 > 0.05 * 1.05 else (255, 255, 255)
