"""A tiny data set in the format of PASCAL VOC: buses are red rectangles, sheep blue ellipses, on a green ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cxr_common.data.label_map import voc_palette

#: Numbers of the two classes in label maps.
BUS, SHEEP = 6, 17
NAMES = {BUS: "bus", SHEEP: "sheep"}
COLOURS = {BUS: (215, 45, 35), SHEEP: (45, 60, 215)}


def make_voc(root: Path, train: int = 4, val: int = 2, seed: int = 0) -> dict[str, np.ndarray]:
    """Write JPEGImages, Annotations, SegmentationClass and ImageSets.

    Every image has a bus on its left, every second one a sheep on its right too. One pixel round each is void.

    Returns:
        Label maps (row, column) by image name; images are 72 to 92 wide and 64 to 80 high.
    """
    rng = np.random.default_rng(seed)
    for folder in ("JPEGImages", "Annotations", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    label_maps = {}
    for i in range(train + val):
        name = f"2099_{i:06d}"
        width, height = 72 + 5 * (i % 5), 64 + 4 * (i % 5)
        y, x = np.mgrid[:height, :width]
        inside = {BUS: (abs(x - 18 - i % 4) <= 10) & (abs(y - height // 2 + i % 3) <= 14)}
        if i % 2:
            inside[SHEEP] = ((x - 54) / 11) ** 2 + ((y - 20 - i) / 9) ** 2 <= 1
        label_map, picture = np.zeros((height, width), np.uint8), np.full((height, width, 3), (70, 150, 60.0))
        for value, mask in inside.items():
            label_map[_grown(mask)] = 255
            label_map[mask], picture[mask] = value, COLOURS[value]
        picture += rng.normal(0, 6, picture.shape)
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(root / "JPEGImages" / f"{name}.jpg", quality=95)
        indexed = Image.fromarray(label_map)
        indexed.putpalette(voc_palette().tobytes())
        indexed.save(root / "SegmentationClass" / f"{name}.png")
        boxes = {value: extent(mask) for value, mask in inside.items()}
        (root / "Annotations" / f"{name}.xml").write_text(annotation(width, height, boxes))
        label_maps[name] = label_map
    names = list(label_maps)
    for part, chosen in (("train", names[:train]), ("val", names[train:])):
        (root / "ImageSets" / "Segmentation" / f"{part}.txt").write_text("".join(f"{n}\n" for n in chosen))
    return label_maps


def annotation(width: int, height: int, boxes: dict[int, list[int]], part: str = "") -> str:
    """The XML of an image; boxes are half-open and 0-based, VOC's are inclusive and 1-based."""
    things = "".join(
        f"<object><name>{NAMES.get(v, v)}</name><difficult>1</difficult>{part}<bndbox><xmin>{x0 + 1}</xmin>"
        f"<ymin>{y0 + 1}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        for v, (x0, y0, x1, y1) in boxes.items()
    )
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation>{size}{things}</annotation>"


def extent(mask: np.ndarray) -> list[int]:
    """The box x0, y0, x1, y1, half-open, round a mask (row, column)."""
    rows, columns = np.nonzero(mask)
    return [int(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]


def _grown(mask: np.ndarray) -> np.ndarray:
    padded = np.pad(mask, 1)
    shifts = [padded[i : i + mask.shape[0], j : j + mask.shape[1]] for i in range(3) for j in range(3)]
    return np.any(shifts, 0)
