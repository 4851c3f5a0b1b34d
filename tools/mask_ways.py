"""All ways from one localiser's heatmaps to masks: a threshold, a CRF, walks with and without boundaries and gates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cxr_common.findings import Walk
from cxr_common.labels import LABELS
from cxr_common.refinement import Boundaries, choose_steps
from cxr_common.refinement.class_walks import When
from cxr_common.refinement.refined_masks import STILL, Images, Masks, tune
from tools.trainings import Run

Settings = dict[str, Any]
WHENS: tuple[When, ...] = ("before", "after")


class Ways:
    """All ways from one localiser's heatmaps to masks.

    Args:
        runs: relation networks on these heatmaps, one of each seed.
        tuning: images with masks, which choose thresholds and steps.
        images: test set -> its images.
        walks: name -> settings of a random walk.
        gated: name of the walk before and after which the images' lung gates are tried, as on the heatmaps.

    Attributes:
        images: test set -> its images.
        masks: test set -> way -> seed -> masks.
        thresholds: way -> a class's threshold, by seed.
        steps: way -> a class's number of steps, by seed.
        gates: test set -> share of its images whose gate is not open.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        tuning: Images,
        images: Mapping[str, Images],
        walks: Settings,
        gated: str | None = None,
    ) -> None:
        self.images = images
        self._steps: int = runs[0].config()["steps"]  # of classes with too few masks to choose by, as in what ships
        self.gates: dict[str, float] = {}
        self.masks: dict[str, dict[str, dict[int, Masks]]] = {name: defaultdict(dict) for name in images}
        self.thresholds: dict[str, list[dict[str, float]]] = defaultdict(list)
        self.steps: dict[str, list[dict[str, int]]] = defaultdict(list)
        for seed, network in [(0, None), *enumerate(run.network() for run in runs)]:
            own = tuning.boundaries(network)
            seen = self._boundaries(network)
            if network is None:
                self._measure("heatmap", 0, own, seen, STILL)
                for name, test in self.images.items():
                    masks = test.crf(seen[name].refined(STILL), self.thresholds["heatmap"][0])
                    self.masks[name]["crf"][0] = test.score(masks, dict.fromkeys(LABELS, 0.5))
                if gated:
                    self._measure("heatmap_gated", 0, *with_gate("before", own, seen), STILL)
                    self.gates = {name: share_gated(one) for name, one in seen.items()}
            for name, settings in walks.items():
                way = f"{'irn' if network else 'smooth'}_{name}"
                self._walk(way, seed, own, seen, settings)
                for when in WHENS if network and name == gated else ():
                    self._walk(f"{way}_gated_{when}", seed, *with_gate(when, own, seen), settings)

    def _boundaries(self, network: Any) -> dict[str, Boundaries]:
        """Of each test set; sets that share a dataset share them, for they take most of the time."""
        made = {id(test.dataset): test for test in self.images.values()}
        found = {key: test.boundaries(network) for key, test in made.items()}
        return {name: found[id(test.dataset)] for name, test in self.images.items()}

    def _walk(self, way: str, seed: int, own: Boundaries, seen: Mapping[str, Boundaries], settings: Settings) -> None:
        walk = walk_of(settings, own, self._steps)
        if isinstance(walk.steps, Mapping):
            self.steps[way].append(dict(walk.steps))
        self._measure(way, seed, own, seen, walk)

    def _measure(self, way: str, seed: int, own: Boundaries, seen: Mapping[str, Boundaries], walk: Walk) -> None:
        self.thresholds[way].append(tune(own.refined(walk)))
        for name, test in self.images.items():
            self.masks[name][way][seed] = test.score(seen[name].refined(walk), self.thresholds[way][seed])


def with_gate(when: When, own: Boundaries, seen: Mapping[str, Boundaries]) -> tuple[Boundaries, dict[str, Boundaries]]:
    """The same images, with their lung gates before or after walks."""
    return replace(own, gated=when), {name: replace(one, gated=when) for name, one in seen.items()}


def share_gated(images: Boundaries) -> float:
    """Share of images whose gate is not open."""
    return 0.0 if images.gate is None else float(np.isfinite(images.gate).all(1).mean())


def walk_of(settings: Settings, boundaries: Boundaries, steps: int) -> Walk:
    """A random walk; where several numbers of steps are given, the best of them for every class on these images.

    A class of which too few of them have a mask goes the number `steps`.
    """
    if not isinstance(settings["steps"], list):
        return Walk(**settings)
    return choose_steps(boundaries, Walk(**{**settings, "steps": steps}), settings["steps"])
