"""Errors of the picture test on pictures and patients that it did not learn from."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from scipy.stats import binomtest
from torch.nn.functional import adaptive_avg_pool2d

from cxr_common.axes import tensor_to_picture
from cxr_common.data.picture_test import DOUBT, doubt_of
from cxr_common.data.picture_test.doubt import LOOKS, kind_doubt, kind_probabilities
from cxr_common.data.picture_test.kind_network import KindNetwork
from cxr_common.data.picture_test.thumbnail import SIDE as THUMBNAIL_SIDE
from cxr_common.data.reader import read_picture
from tools.picture_test.change import TURNS, Varied
from tools.picture_test.others import TESTING, make_others
from tools.picture_test.radiographs import find_good, phantoms, read_grey, reduced
from tools.picture_test.train import lateral_pictures

Figures = dict[str, Any]
#: Far from every seed of training.
SEED = 9_000


def share(hits: int, total: int) -> Figures:
    """A share with its exact 95% interval (Clopper-Pearson), picture by picture."""
    interval = binomtest(hits, total).proportion_ci(0.95, method="exact")
    return {"value": hits / total, "low": interval.low, "high": interval.high, "count": hits, "n": total}


def score(shared: Path, network: KindNetwork, threshold: float, count: int = 100) -> Figures:
    """False alarms on good radiographs by source, and misses by kind.

    Args:
        shared: folder with ``nih`` and ``cxr``.
        network: the shipped one, which `doubt_of` asks too.
        threshold: of it.
        count: simulated pictures of every sort.
    """
    images = find_good(shared)["testing"]
    alarms: dict[str, list[str]] = defaultdict(list)
    small: dict[str, list[np.ndarray]] = defaultdict(list)
    for image in images:
        grey = read_grey(image.file)
        small[image.source].append(reduced(grey))
        alarms[image.source].append(doubt_of(grey.astype(np.float32) / 255))
    small["phantoms"] = list(phantoms(SEED, count))
    alarms["phantoms"] = [doubt_of(picture / np.float32(255)) for picture in small["phantoms"]]
    alarms["originals"] = [doubt_of(tensor_to_picture(read_picture(path))) for path in _originals(shared)]
    for source, pictures in small.items():
        changed = Varied(SEED)(torch.from_numpy(np.stack(pictures)))
        alarms[f"{source}, changed"] = _doubts(network, threshold, changed)
    real = torch.from_numpy(np.stack([p for name, found in small.items() if name != "phantoms" for p in found]))
    plain = adaptive_avg_pool2d(real.float() / 255, THUMBNAIL_SIDE)
    told = {kind: _doubts(network, threshold, turn(plain)) for kind, turn in TURNS.items() if kind != "upright"}
    made = {"lateral": lateral_pictures(SEED, count)} | make_others(SEED, count, TESTING)
    told |= {sort: [doubt_of(picture / np.float32(255)) for picture in pictures] for sort, pictures in made.items()}
    told["noise"] = [doubt_of(picture) for picture in _noise(count)]
    return {
        "n_patients": len({image.patient for image in images}),
        "false_alarms": {source: share(sum(map(bool, found)), len(found)) for source, found in sorted(alarms.items())},
        "misses": {kind: share(doubts.count(""), len(doubts)) for kind, doubts in told.items()},
        "named": {
            kind: share(doubts.count(DOUBT + LOOKS[kind]), len(doubts))
            for kind, doubts in told.items()
            if kind in LOOKS
        },
    }


def _doubts(network: KindNetwork, threshold: float, thumbnails: torch.Tensor) -> list[str]:
    """What the network alone says of thumbnails (N, rows, columns)."""
    with torch.inference_mode():
        return [kind_doubt(chances, threshold) for chances in kind_probabilities(network, thumbnails)]


def _originals(shared: Path) -> list[Path]:
    """Whole radiographs of ../shared/cxr/originals: full-size files of several formats."""
    folder = shared / "cxr" / "originals"
    files = [*folder.glob("dicom/*.dcm"), *folder.glob("nih/*.png"), *folder.glob("ieee8023/*.png")]
    return sorted(path for path in files if "__" not in path.name)


def _noise(count: int) -> list[np.ndarray]:
    """White noise of several sizes, grains and strengths."""
    rng = np.random.default_rng(SEED)
    pictures = []
    for _ in range(count):
        noise = rng.standard_normal(tuple(rng.integers(128, 700, 2)))
        noise = ndimage.uniform_filter(noise, rng.integers(1, 3))
        pictures.append(np.clip(0.5 + rng.uniform(0.05, 0.5) * noise, 0, 1))
    return pictures
