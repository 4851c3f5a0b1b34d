"""Relation networks on the heatmaps of localisers that learned from real radiographs, measured by official boxes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data import load_datalist
from cxr_common.data.chest import chest_box
from cxr_common.data.datalist import item_group
from cxr_common.evaluation import data_sha256
from cxr_common.labels import LABELS
from cxr_common.refinement.refined_masks import Masks, Truth
from cxr_tools.lungs import outline_lungs
from tools.mask_ways import Ways
from tools.nih.kept_masks import pack_masks, unpack_masks
from tools.nih.nih import boxed_images, make_simulated, simulated_from
from tools.repository import REPOSITORY
from tools.results.data import Items, prepare, write_items
from tools.results.experiment import Data
from tools.results.figures import Figure, ScoredSet, first
from tools.results.outcomes import Arrays, KeptExperiment, Outcome, arrays_of
from tools.results.plan import Runs
from tools.results.refinement import learned_from, plan_localizers, read_images, refined_test
from tools.results.settings import Settings
from tools.trainings import Run

#: Test set -> what masks are compared with there.
TRUTHS: Mapping[str, Truth] = {"boxes": "boxes", "chest": "chest", "ieee8023": "masks"}
LEVELS = (0.1, 0.25, 0.5)
#: Figures of masks beside boxes; the first is also given class by class.
BOX_FIGURES = ("T(IoU) > 0.25", "T(IoU) > 0.1", "T(IoU) > 0.5", *(f"T(IoBB) > {level}" for level in LEVELS), "inside")
#: Datalist of what is learned from and what chooses, in the work folder.
POSITIVES = "nih_refinement.json"
#: Radiographs with drawn masks of opacities.
DRAWN = REPOSITORY.parent / "shared" / "cxr"
#: Way to masks -> masks.
WayMasks = Mapping[str, Masks]


@dataclass(frozen=True)
class RefinedOutcome(Outcome):
    """What one relation network did, and the ways to masks that need none.

    Attributes:
        masks: test set -> way -> masks.
        thresholds: way -> threshold of each class.
        steps: way -> number of steps of each class, where they are chosen.
        gates: test set -> share of its images that the lung gate acts on.
    """

    masks: dict[str, dict[str, Masks]]
    thresholds: dict[str, dict[str, float]]
    steps: dict[str, dict[str, int]]
    gates: dict[str, float]


class NihRefinement(KeptExperiment[RefinedOutcome, WayMasks]):
    """A relation network on each localiser's heatmaps."""

    needs = "this experiment learns from NIH's images and is scored on them"
    radiographs = "nih"
    home = "nih_refinement"
    shares = ("nih", "simulated")
    prefix = "nih_irn_"
    nih: Path
    _run: Run | None = None
    _ways: Ways

    def plan_methods(self) -> Settings:
        """Localisers that have weights."""
        return plan_localizers(self.settings)

    def make_data(self) -> Data:
        """NIH's images with a finding to learn from, simulated findings to choose by; boxes, chests and drawn masks."""
        settings, work, shared = self.settings, self.work, self.options.shared
        nih = prepare(settings["nih"]["mapping"], shared, work / "nih14.json")
        self.nih, path = nih, work / POSITIVES
        sections = [data_sha256(positives(settings, nih, shared)), chosen_by(settings, nih, shared)]
        boxed = with_chests(boxed_images(nih, shared)[: settings.get("testing")])
        tests = {"boxes": boxed, "chest": boxed}
        if DRAWN.is_dir():
            opacities = prepare("shared_cxr_opacity", DRAWN, work / "ieee8023.json")
            tests["ieee8023"] = load_datalist(opacities, "testing", DRAWN, LABELS)
        hashes = learned_from(self.methods, sections)
        return Data(dict.fromkeys(hashes, path), tests, True, hashes=hashes, trained_on={"training": sections[0]})

    def before_training(self) -> None:
        """Simulate findings, which takes a quarter of an hour; kept outcomes do without."""
        make_positives(self.settings, self.nih, self.options.shared, self.work)

    def predict(self, run: Run, made_with: Settings, test: str) -> WayMasks:
        """Masks of all ways on a test set."""
        return {way: seeds[0] for way, seeds in self.ways(run).masks[test].items()}

    def ways(self, run: Run) -> Ways:
        """All ways with a run's network; kept until another run is asked for."""
        if self._run is not run:
            self.before_training()  # what is trained elsewhere is measured here
            section = load_datalist(self.source(run)[0], "validation")
            read = {id(items): read_images(run, items, gated=True) for items in self.data.tests.values()}
            images = {test: replace(read[id(items)], truth=TRUTHS[test]) for test, items in self.data.tests.items()}
            tuning = read_images(run, section, gated=True)
            self._ways = Ways([run], tuning, images, self.settings["walks"], self.settings["gated"])
            self._run = run
        return self._ways

    def pack(self, found: Mapping[str, WayMasks]) -> Arrays:
        """Pixel counts, thresholds and steps, and how many images have a gate."""
        chosen = {"thresholds": self._ways.thresholds, "steps": self._ways.steps}
        kept: Arrays = {"chosen": np.array(json.dumps(chosen)), "gates": np.array(json.dumps(self._ways.gates))}
        for test, ways in found.items():
            for way, masks in ways.items():
                kept[f"{test}/{way}"] = pack_masks(masks)
        return kept

    def unpack(self, about: dict[str, Any], arrays: Arrays) -> RefinedOutcome:
        """The same, read again."""
        chosen = json.loads(str(arrays["chosen"]))
        masks = {
            test: {way: unpack_masks(tables) for way, tables in arrays_of(arrays, test).items()}
            for test in self.data.tests
        }
        first = {key: {way: seeds[0] for way, seeds in ways.items()} for key, ways in chosen.items()}
        return RefinedOutcome(about, masks, gates=json.loads(str(arrays["gates"])), **first)

    def missing(self, names: Sequence[str], done: Runs) -> list[str]:
        """Localisers without a relation network, among them those without weights."""
        return [name for name in self.settings["localizers"] if name not in done]

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """All ways on every localiser's heatmaps; thresholds and steps."""
        tests: list[ScoredSet] = []
        notes: Settings = {"thresholds": {}, "steps": {}, "gates": {}}
        for name, seeds in self.measured.items():
            one = next(iter(seeds.values()))
            notes["thresholds"][name], notes["steps"][name] = one.thresholds, one.steps
            notes["gates"] = one.gates  # of the images, so the same for all localisers
            for test, items in self.data.tests.items():
                ways = {
                    way: {seed: outcome.masks[test][way] for seed, outcome in seeds.items()} for way in one.masks[test]
                }
                groups = [item_group(item) for item in items if 1 in item["label"]]  # the others have no heatmap
                score = refined_test if TRUTHS[test] == "masks" else boxed_test
                tests.append(score(f"{name}, {test}", ways, groups))
        if {*self.settings["networks"]} <= {*self.measured}:
            tests.append(self.compared(self.settings["networks"]))
        return tests, notes

    def compared(self, names: Sequence[str]) -> ScoredSet:
        """Masks beside boxes of relation networks on the same heatmaps; the first one is the baseline."""
        way = self.settings["headline"]
        groups = [item_group(item) for item in self.data.tests["boxes"] if 1 in item["label"]]
        masks = {name: {seed: one.masks["boxes"][way] for seed, one in self.measured[name].items()} for name in names}
        return boxed_test("networks, boxes", masks, groups, names[0])


def positives(settings: Settings, nih: Path, shared: Path, random: np.random.Generator | None = None) -> Items:
    """NIH's training images with a finding that are learned from, drawn at random."""
    return drawn(load_datalist(nih, "training", shared), settings["training"], random or np.random.default_rng(0))


def make_positives(settings: Settings, nih: Path, shared: Path, work: Path) -> Path:
    """Datalist of :func:`positives`, and of simulated findings that choose, drawn at random too."""
    random = np.random.default_rng(0)
    training = positives(settings, nih, shared, random)
    made = load_datalist(make_simulated(settings["simulated"], nih, shared, work), "validation")
    sections = {"training": training, "validation": drawn(made, settings["validation"], random)}
    return write_items(work / POSITIVES, sections, ("boxes", "box_labels"))


def drawn(items: Items, count: int, random: np.random.Generator) -> Items:
    """At most so many of the images with a finding."""
    found = [item for item in items if 1 in item["label"]]
    return [found[place] for place in random.permutation(len(found))[:count]]


def chosen_by(settings: Settings, nih: Path, shared: Path) -> str:
    """What the validation section of :func:`make_positives` is known by on any machine."""
    return f"{simulated_from(settings['simulated'], nih, shared)}, {settings['validation']} of them"


def with_chests(items: Items) -> Items:
    """Images with the box around the chest, where the lung model finds one."""
    return [
        item if chest is None else {**item, "chest": chest}
        for item, (lungs, size) in zip(items, outline_lungs(items), strict=True)
        for chest in (chest_box(lungs, size),)
    ]


def boxed_test(
    name: str, ways: Mapping[str, Mapping[int, Masks]], groups: Sequence[str], baseline: str = "heatmap"
) -> ScoredSet:
    """Figures of masks beside boxes of a finding or the chest, and what each way adds to the baseline."""
    scored = np.isfinite(first(ways).counts.true)
    pairs = {label: int(scored[:, c].sum()) for c, label in enumerate(LABELS) if scored[:, c].any()}
    if name.endswith("chest"):
        figures = [Figure.measured(ways, "inside", of) for of in ("all", *pairs)]
    else:
        figures = [Figure.measured(ways, figure, "all") for figure in BOX_FIGURES]
        figures += [Figure.measured(ways, BOX_FIGURES[0], label) for label in pairs]
        figures.append(Figure.measured(ways, "area", "all", compared=False))
    return ScoredSet(name, groups, figures, baseline, pairs, int(scored.any(1).sum()))
