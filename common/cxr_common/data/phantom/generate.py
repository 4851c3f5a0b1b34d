"""One phantom from a seed and an index."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from cxr_common.data.phantom.anatomy import Chest, Patient, make_chest
from cxr_common.data.phantom.config import FINDINGS, PhantomConfig
from cxr_common.data.phantom.fields import FIELD_CM, Array, coordinates, soft_step
from cxr_common.data.phantom.outline import Box, outline
from cxr_common.data.phantom.physics import attenuation, display, expose
from cxr_common.data.phantom.simulators import SIMULATORS, Changes, Mask
from cxr_common.data.phantom.skeleton import make_bones
from cxr_common.errors import InputError
from cxr_common.labels import LABELS


@dataclass
class Phantom:
    """A synthetic frontal chest radiograph and what is in it. Pictures are [row y, column x].

    Attributes:
        image: (size, size) float32 in [0, 1], bright = dense; the patient's right is at the picture's left.
        masks: finding -> bool (size, size), only findings that are present.
        boxes: (finding, x0, y0, x1, y1) half-open pixels, one a lesion.
        label: 1 or 0 for each of ``cxr_common.labels.LABELS``.
        anatomy: "left lung", "right lung" (the patient's), "heart": bool (size, size).
        spacing: (column mm, row mm).
        view: PA or AP.
        age: years.
        sex: F or M.
        seed: with ``index``, what made it.
        index: with ``seed``, what made it.
    """

    image: Array
    masks: dict[str, Mask]
    boxes: list[Box]
    label: list[int]
    anatomy: dict[str, Mask]
    spacing: tuple[float, float]
    view: str
    age: int
    sex: str
    seed: int
    index: int
    findings: tuple[str, ...] = field(default=())


def draw_findings(config: PhantomConfig, rng: np.random.Generator) -> tuple[str, ...]:
    """Which findings an image has: none with probability ``no_finding``, else mostly one."""
    if rng.random() < config.no_finding:
        return ()
    names = [name for name in FINDINGS if config.prevalence.get(name, 0) > 0]
    weights = np.array([config.prevalence[name] for name in names], dtype=np.float64)
    count = min(1 + int(rng.binomial(2, 0.25)), config.max_findings, len(names))
    return tuple(map(str, rng.choice(names, size=count, replace=False, p=weights / weights.sum())))


def make_phantom(
    seed: int, index: int, config: PhantomConfig | None = None, findings: tuple[str, ...] | None = None
) -> Phantom:
    """Make a phantom; the same arguments give the same pixels.

    Args:
        seed: of the set, not negative.
        index: of the phantom in the set, not negative.
        config: settings; default ``PhantomConfig()``.
        findings: names from ``FINDINGS`` instead of drawn ones; () for none.

    Raises:
        InputError: when a finding is not known, or seed or index is negative.

    Example:
        >>> phantom = make_phantom(seed=0, index=3, config=PhantomConfig(size=64), findings=("Effusion",))
        >>> phantom.image.shape, sorted(phantom.masks), phantom.label
        ((64, 64), ['Effusion'], [0, 0, 0, 1, 0, 0, 0, 0])
    """
    config = config or PhantomConfig()
    unknown = sorted(set(findings or ()) - set(SIMULATORS))
    if unknown:
        raise InputError(f"unknown {', '.join(unknown)}", "findings", f"known: {', '.join(SIMULATORS)}")
    if seed < 0 or index < 0:
        raise InputError(f"seed {seed}, index {index}", "phantom", "give 0 or more")
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence((seed, index)).spawn(6)]
    draw, body, bones, lesions, film, pose = streams
    chosen = draw_findings(config, draw) if findings is None else tuple(findings)
    patient = Patient.sample(body, chosen)
    chest = make_chest(patient, config.size, body)
    changes = Changes.none(config.size)
    lesion_masks = {name: SIMULATORS[name](chest, changes, config, lesions) for name in SIMULATORS if name in chosen}
    integral = _integral(chest, changes, make_bones(patient, config.size, bones), body)
    warp = _Pose(config.size, pose)
    integral = warp.picture(integral)
    lesion_masks = {name: [warp.mask(m) for m in masks] for name, masks in lesion_masks.items()}
    image = display(expose(integral, film), film)
    masks, boxes = outline(lesion_masks)
    names = {-1: "right lung", 1: "left lung"}
    anatomy = {names[side]: warp.mask((lung.inside > 0) & (chest.centre < 0.5)) for side, lung in chest.lungs.items()}
    anatomy["heart"] = warp.mask(chest.heart < 1)
    return Phantom(
        image=image,
        masks=masks,
        boxes=boxes,
        label=[int(name in masks) for name in LABELS],
        anatomy=anatomy,
        spacing=(FIELD_CM * 10 / config.size,) * 2,
        view=patient.view,
        age=patient.age,
        sex=patient.sex,
        seed=seed,
        index=index,
        findings=chosen,
    )


def _integral(chest: Chest, changes: Changes, bone: Array, rng: np.random.Generator) -> Array:
    air = chest.air * changes.air - chest.soft * changes.vessels
    air = np.clip(air * (1 - changes.filled) - changes.tissue, 0, None)
    air = air + _stomach_bubble(chest, rng) + _trachea(chest)
    return attenuation(chest.body, air, bone * np.clip(chest.body / 4, 0, 1))


def _stomach_bubble(chest: Chest, rng: np.random.Generator) -> Array | float:
    x, y = coordinates(chest.body.shape[0])
    there, px, py = rng.random() < 0.7, rng.normal(0.40, 0.04), rng.normal(0.16, 0.02)
    wide, high, depth = rng.uniform(0.08, 0.15), rng.uniform(0.04, 0.08), rng.uniform(2, 5)
    if not there:
        return 0.0
    lung = chest.lungs[1]
    square = ((x - chest.patient.shift - px) / wide) ** 2 + ((y - lung.base - py) / high) ** 2
    return (depth * np.sqrt(np.clip(1 - square, 0, 1)) * (lung.inside < 0)).astype(np.float32)


def _trachea(chest: Chest) -> Array:
    x, y = coordinates(chest.body.shape[0])
    tube = np.clip(1 - ((x - chest.patient.shift) / 0.036) ** 2, 0, 1)
    return (1.7 * np.sqrt(tube) * soft_step(-0.24 - y, 0.03)).astype(np.float32)


class _Pose:
    """How the patient stands before the detector: a small turn, zoom and shift of the whole picture."""

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        turn, zoom = rng.normal(0, 0.03), rng.uniform(0.94, 1.07)
        dx, dy = rng.normal(0, 0.025, 2) * size / 2
        cos, sin, centre = np.cos(turn) / zoom, np.sin(turn) / zoom, size / 2
        # Pillow maps output to input, in pixel edges; its transform is ten times as fast as SciPy's.
        self.size, self.border = size, size // 6
        x0 = centre - cos * (centre + dx) + sin * (centre + dy) + self.border
        y0 = centre - sin * (centre + dx) - cos * (centre + dy) + self.border
        self.map = (cos, -sin, x0, sin, cos, y0)

    def picture(self, values: Array) -> Array:
        """Move a picture; what comes into view from outside repeats its edge."""
        padded = Image.fromarray(np.pad(values.astype(np.float32), self.border, mode="edge"))
        moved = padded.transform((self.size, self.size), Image.Transform.AFFINE, self.map, Image.Resampling.BILINEAR)
        return np.asarray(moved)

    def mask(self, mask: Mask) -> Mask:
        """Move a mask."""
        return self.picture(mask.astype(np.float32)) > 0.5
