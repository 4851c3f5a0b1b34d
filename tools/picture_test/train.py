"""Train the network of the picture test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from cxr_common.data.picture_test.doubt import kind_probabilities
from cxr_common.data.picture_test.kind_network import KINDS, KindNetwork
from cxr_common.data.picture_test.thumbnail import standardised
from tools.picture_test.change import TURNS, Varied
from tools.picture_test.lateral import make_lateral
from tools.picture_test.others import TRAINING, make_others
from tools.picture_test.radiographs import find_good, phantoms, reduced_radiographs

#: A part of a radiograph this much enlarged shows no chest any more.
PART_ZOOM = (2.2, 3.5)
_OTHER, _LATERAL = KINDS.index("other"), KINDS.index("lateral")


@dataclass(frozen=True)
class Recipe:
    """How much of what, for how long. The seed makes all of it again."""

    seed: int = 0
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 3e-3
    phantoms: int = 400
    laterals: int = 1000
    others_each: int = 400
    parts: int = 700
    #: Of the validation radiographs, changed harmlessly, at most this share may be doubted; it sets the threshold.
    false_alarms: float = 0.007


def lateral_pictures(seed: int, count: int) -> np.ndarray:
    """Simulated lateral views, uint8 (N, rows, columns)."""
    return np.stack([(255 * make_lateral(seed, index)).round().astype(np.uint8) for index in range(count)])


@dataclass(frozen=True)
class Material:
    """Pictures to learn from, uint8 (N, rows, columns), and how many there are of each sort."""

    good: torch.Tensor
    lateral: torch.Tensor
    other: torch.Tensor
    validation: torch.Tensor
    counts: dict[str, int]


def gather(shared: Path, recipe: Recipe) -> Material:
    """Read ../shared's open radiographs, and make phantoms, lateral views and other pictures.

    Args:
        shared: folder with ``nih`` and ``cxr``.
        recipe: how much of what.
    """
    images = find_good(shared)
    good = reduced_radiographs(images["training"]) | {"phantoms": phantoms(recipe.seed, recipe.phantoms)}
    others = make_others(recipe.seed, recipe.others_each, TRAINING)
    lateral = {"lateral": lateral_pictures(recipe.seed, recipe.laterals)}
    validation = reduced_radiographs(images["validation"])
    counts = {name: len(pictures) for name, pictures in (good | lateral | others).items()}
    return Material(_stacked(good), _stacked(lateral), _stacked(others), _stacked(validation), counts)


def _stacked(groups: dict[str, np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(list(groups.values())))


def train(material: Material, recipe: Recipe) -> tuple[KindNetwork, float]:
    """Train the network; returns it in evaluation mode, and its threshold."""
    network = _fit(material.good, material.lateral, material.other, recipe)
    return network, _threshold(network, material.validation, recipe)


def _fit(good: torch.Tensor, lateral: torch.Tensor, other: torch.Tensor, recipe: Recipe) -> KindNetwork:
    torch.manual_seed(recipe.seed)
    varied, network = Varied(recipe.seed), KindNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    size = len(good) + len(lateral) + len(other) + recipe.parts
    steps = recipe.epochs * (size // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, total_steps=steps)
    for _ in range(recipe.epochs):
        thumbnails, kinds = _epoch(good, lateral, other, varied, recipe.parts)
        for batch in torch.randperm(size).split(recipe.batch_size)[: size // recipe.batch_size]:
            loss = cross_entropy(network(standardised(thumbnails[batch])[:, None]), kinds[batch], label_smoothing=0.01)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _epoch(
    good: torch.Tensor, lateral: torch.Tensor, other: torch.Tensor, varied: Varied, parts: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Thumbnails of all pictures, changed anew, and their kinds: half of the good ones stay upright."""
    x = varied(good)
    kinds = torch.randint(0, 2 * len(TURNS) - 2, (len(good),))
    kinds = torch.where(kinds < len(TURNS), kinds, 0)
    for index, kind in enumerate(TURNS):
        x[kinds == index] = TURNS[kind](x[kinds == index])
    # A negative of whatever lies on its side is still a negative.
    negative = (kinds == KINDS.index("inverted")) & (torch.rand(len(kinds)) < 0.2)
    x[negative] = x[negative].rot90(1, (-2, -1))
    scenes = varied(other)
    dark = torch.rand(len(scenes)) < 0.3
    scenes[dark] = 1 - scenes[dark]
    enlarged = varied(good[torch.randperm(len(good))[:parts]], PART_ZOOM)
    thumbnails = torch.cat([x, varied(lateral), scenes, enlarged])
    return thumbnails, torch.cat([kinds, torch.tensor([_LATERAL] * len(lateral) + [_OTHER] * (len(scenes) + parts))])


def _threshold(network: KindNetwork, validation: torch.Tensor, recipe: Recipe) -> float:
    """The probability of "upright" that all but `recipe.false_alarms` of changed radiographs reach; at most a half."""
    varied = Varied(recipe.seed + 1)
    with torch.inference_mode():
        chances = torch.cat([kind_probabilities(network, varied(validation))[:, 0] for _ in range(4)])
    return min(float(torch.quantile(chances, recipe.false_alarms)), 0.5)
