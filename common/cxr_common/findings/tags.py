"""Where the name tags of boxes go, so that findings on top of each other stay readable."""

from __future__ import annotations

from collections.abc import Sequence

Rect = tuple[float, float, float, float]


def overlap(a: Rect, b: Rect) -> float:
    """Area that two x0, y0, x1, y1 rectangles share."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


def place_tags(boxes: Sequence[Rect], sizes: Sequence[tuple[float, float]], area: Rect, gap: float = 3.0) -> list[Rect]:
    """Place one tag a box, in order, without covering an earlier tag as long as there is room.

    Args:
        boxes: rectangles to name.
        sizes: (width, height) of their tags.
        area: tags stay inside.
        gap: space between tags, and between a tag and its box.

    Returns:
        One rectangle a box: at the box's edge where that is free, else the nearest free place, preferring not to cover
        any box.
    """
    placed: list[Rect] = []
    for box, (width, height) in zip(boxes, sizes, strict=True):
        best, least = (0.0, 0.0, width, height), float("inf")
        for tag in _candidates(box, width, height, area, gap):
            cost = _cost(tag, box, placed, boxes, gap)
            if cost < least:
                best, least = tag, cost
            if least <= _GOOD:
                break
        placed.append(best)
    return placed


#: What a tag at its box's edge that covers nothing costs, or less: no need to look on.
_GOOD = 0.15


def _candidates(box: Rect, width: float, height: float, area: Rect, gap: float) -> list[Rect]:
    x0, y0, x1, y1 = box
    columns = (x0, x1 - width, x1 + gap, x0 - gap - width)
    step = height + gap
    rows = [y0 - step, y1 + gap, y0, y1 - height]
    rows += [start + sign * n * step for n in range(1, 12) for start, sign in ((y0 - step, -1), (y1 + gap, 1), (y0, 1))]
    found = []
    for y in rows:
        for x in columns:
            left = min(max(x, area[0]), area[2] - width)
            top = min(max(y, area[1]), area[3] - height)
            found.append((left, top, left + width, top + height))
    return found


def _cost(tag: Rect, box: Rect, placed: Sequence[Rect], boxes: Sequence[Rect], gap: float) -> float:
    size = (tag[2] - tag[0]) * (tag[3] - tag[1])
    wide = (tag[0] - gap, tag[1] - gap, tag[2] + gap, tag[3] + gap)
    hidden = sum(overlap(wide, other) for other in placed)
    covered = sum(overlap(tag, other) for other in boxes)
    return 100 * hidden / size + covered / size + distance(tag, box) / (tag[3] - tag[1])


def distance(a: Rect, b: Rect) -> float:
    """Gap between two rectangles, 0 where they touch."""
    dx = max(a[0] - b[2], b[0] - a[2], 0.0)
    dy = max(a[1] - b[3], b[1] - a[3], 0.0)
    return (dx * dx + dy * dy) ** 0.5
