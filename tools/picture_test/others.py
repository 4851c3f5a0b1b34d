"""Pictures that are no chest radiographs: photographs, pages, scans of other parts, simulated limbs, shapes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from scipy.special import expit

from cxr_common.data.phantom.fields import texture
from tools.picture_test.radiographs import read_grey, reduced

#: Of every list that no generator makes, training has these parts of three and scoring the last.
TRAINING, TESTING = (0, 1), (2,)
_FONTS = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "STIXGeneral.ttf", "DejaVuSansMono-Bold.ttf", "cmr10.ttf", "cmss10.ttf")


def package_folder(name: str) -> Path:
    """The folder of an installed package."""
    spec = find_spec(name)
    assert spec is not None and spec.submodule_search_locations, name
    return Path(spec.submodule_search_locations[0])


def part_of(items: list, parts: tuple[int, ...]) -> list:
    """Every third item from each of some starts."""
    return [item for index, item in enumerate(items) if index % 3 in parts]


def photographs(parts: tuple[int, ...]) -> list[np.ndarray]:
    """Photographs and drawings that scikit-image, scikit-learn and matplotlib hold, grey uint8."""
    folders = (
        package_folder("skimage") / "data",
        package_folder("sklearn") / "datasets" / "images",
        package_folder("matplotlib") / "mpl-data" / "sample_data",
    )
    files = [path for folder in folders for path in sorted(folder.glob("*.[jp][pn]g"))]
    return [read_grey(path) for path in part_of(files, parts)]


def scans(parts: tuple[int, ...]) -> list[np.ndarray]:
    """Slices, sonograms, scintigrams and a limb of pydicom's and pydicom-data's samples, grey uint8; no chest."""
    files = [*package_folder("pydicom").glob("data/test_files/*.dcm"), *package_folder("data_store").glob("data/*.dcm")]
    found: dict[tuple[str, bytes], np.ndarray] = {}
    for path in sorted(files, key=lambda path: path.name):
        if path.name.startswith("RG1"):  # a chest
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                dataset = pydicom.dcmread(path, force=True)
                pixels = dataset.pixel_array.astype(np.float32)
            except Exception:  # some of the samples are broken on purpose
                continue
        if dataset.get("SamplesPerPixel", 1) == 3:
            pixels = pixels.mean(-1)
        pixels = pixels.reshape(-1, *pixels.shape[-2:])[0]
        low, high = np.percentile(pixels, (1, 99))
        if min(pixels.shape) < 64 or high <= low:
            continue
        grey = (255 * np.clip((pixels - low) / (high - low), 0, 1)).astype(np.uint8)
        # Copies in other encodings are one picture, and one patient's pictures go into one part.
        key = (str(dataset.get("PatientName", "")), reduced(grey, 16).tobytes())
        found.setdefault(key, grey)
    names = sorted({name for name, _ in found})
    chosen = part_of(names, parts)
    return [grey for (name, _), grey in found.items() if name in chosen]


def page(rng: np.random.Generator, parts: tuple[int, ...]) -> np.ndarray:
    """A page of text with, at times, a table or a block of grey."""
    size = 384
    image = Image.new("L", (size, int(size * rng.uniform(0.7, 1.4))), int(rng.uniform(225, 256)))
    draw = ImageDraw.Draw(image)
    face = str(package_folder("matplotlib") / "mpl-data" / "fonts" / "ttf" / rng.choice(part_of(list(_FONTS), parts)))
    font = ImageFont.truetype(face, int(rng.uniform(9, 34)))
    y, left, right = rng.uniform(5, 60), rng.uniform(5, 60), size - rng.uniform(5, 80)
    while y < image.height - 20:
        x = left + (rng.random() < 0.15) * rng.uniform(0, 80)
        while x < right and rng.random() > 0.03:
            word = "".join(chr(97 + int(c)) for c in rng.integers(0, 26, rng.integers(2, 10)))
            draw.text((x, y), word, fill=int(rng.uniform(0, 90)), font=font)
            x += draw.textlength(word + " ", font=font)
        y += font.size * rng.uniform(1.1, 2.2)
    if rng.random() < 0.4:
        x0, y0 = rng.uniform(0, size * 0.6, 2)
        draw.rectangle((x0, y0, x0 + rng.uniform(40, 200), y0 + rng.uniform(40, 200)), int(rng.uniform(0, 220)))
    return np.asarray(image)


def limb(rng: np.random.Generator) -> np.ndarray:
    """Bones in soft tissue: a hand of five rays, or one to three long bones with a joint."""
    size = 192
    tissue, bone = Image.new("F", (size, size)), Image.new("F", (size, size))
    soft, hard = ImageDraw.Draw(tissue), ImageDraw.Draw(bone)

    def ray(start: np.ndarray, angle: float, length: float, width: float, pieces: int) -> None:
        step = length / pieces * np.array([np.sin(angle), -np.cos(angle)])
        for piece in range(pieces):
            a, b = start + piece * step, start + (piece + 1) * step
            soft.line([*a, *b], 1.0, int(width * 2.4))
            hard.line([*(a + 0.06 * step), *(b - 0.06 * step)], 1.0, max(int(width * (1 - 0.1 * piece)), 2))
            for end in (a + 0.1 * step, b - 0.1 * step):
                r = width * 0.62
                hard.ellipse([*(end - r), *(end + r)], 1.0)

    if rng.random() < 0.5:
        wrist = size * np.array([rng.uniform(0.4, 0.6), rng.uniform(0.72, 0.9)])
        for finger in range(5):
            angle = (finger - 2) * rng.uniform(0.16, 0.30) + rng.normal(0, 0.05)
            ray(wrist, angle, size * rng.uniform(0.50, 0.72), size * rng.uniform(0.026, 0.045), 4)
        soft.ellipse([*(wrist - size * 0.16), *(wrist + size * 0.12)], 1.0)
        ray(wrist + (0, size * 0.3), rng.normal(0, 0.1), size * 0.3, size * rng.uniform(0.05, 0.08), 1)
    else:
        middle = size * rng.uniform(0.4, 0.6)
        for _ in range(rng.integers(1, 4)):
            start = np.array([middle + rng.normal(0, 0.07) * size, size * 1.05])
            ray(start, rng.normal(0, 0.08), size * 1.1, size * rng.uniform(0.05, 0.13), int(rng.integers(1, 3)))
    blurred = [ndimage.gaussian_filter(np.asarray(part), sigma) for part, sigma in ((tissue, 4), (bone, 1.5))]
    picture = rng.uniform(0.25, 0.6) * blurred[0] + rng.uniform(0.3, 0.6) * blurred[1]
    picture = picture * (1 + 0.08 * texture(rng, size, 20)) + rng.uniform(0, 0.1)
    return (255 * np.clip(picture, 0, 1)).astype(np.uint8)


def shapes(rng: np.random.Generator) -> np.ndarray:
    """Soft ellipses over a slope of grey and smooth noise: no anatomy, but the greys of a radiograph."""
    size = 128
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    picture = rng.normal(0, 0.4) * x + rng.normal(0, 0.4) * y + rng.uniform(0, 0.4) * texture(rng, size, 8)
    for _ in range(rng.integers(1, 9)):
        cx, cy, angle = *rng.uniform(-0.8, 0.8, 2), rng.uniform(0, np.pi)
        a, b = rng.uniform(0.08, 0.9, 2)
        u, v = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        radius = np.sqrt((u / a) ** 2 + (v / b) ** 2)
        picture += rng.normal(0, 0.6) * expit((1 - radius) * rng.uniform(4, 30))
    picture += rng.uniform(0, 0.1) * rng.standard_normal(picture.shape)
    low, high = picture.min(), picture.max()
    return (255 * (picture - low) / (high - low)).astype(np.uint8)


def crop(grey: np.ndarray, rng: np.random.Generator, least: float = 0.4) -> np.ndarray:
    """A part of a picture, turned by any quarter and mirrored at times, uint8 (`SIDE`, `SIDE`)."""
    share = rng.uniform(least, 1)
    height, width = (max(int(side * share), 16) for side in grey.shape)
    top, left = (
        int(rng.integers(0, whole - part + 1)) for whole, part in zip(grey.shape, (height, width), strict=True)
    )
    part = reduced(grey[top : top + height, left : left + width])
    return np.rot90(part[:, ::-1] if rng.random() < 0.5 else part, int(rng.integers(4)))


def make_others(seed: int, each: int, parts: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Other pictures by sort, uint8 (N, `SIDE`, `SIDE`).

    Args:
        seed: of crops and of what is made.
        each: pictures of every sort.
        parts: `TRAINING` or `TESTING`, whose photographs, scans and fonts differ.
    """
    rng = np.random.default_rng(seed)
    photos, slices = photographs(parts), scans(parts)
    sorts: dict[str, Callable[[], np.ndarray]] = {
        "photograph": lambda: crop(photos[rng.integers(len(photos))], rng),
        "scan of another part": lambda: crop(slices[rng.integers(len(slices))], rng, 0.75),
        "page of text": lambda: reduced(page(rng, parts)),
        "simulated hand or limb": lambda: np.rot90(reduced(limb(rng)), rng.choice([0, 0, 1, 2, 3])),
        "shapes": lambda: reduced(shapes(rng)),
    }
    return {sort: np.stack([make() for _ in range(each)]) for sort, make in sorts.items()}
