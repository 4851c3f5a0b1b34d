"""The refinement experiment: masks of thresholded heatmaps, of a CRF, and of a walk with and without boundaries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from monai.data import CacheDataset
from monai.transforms import Compose

from cxr_common.data import load_datalist
from cxr_common.data.datalist import item_group
from cxr_common.evaluation import data_sha256
from cxr_common.labels import LABELS
from cxr_common.networks import weights_sha256
from cxr_common.refinement.refined_masks import Images, Masks, Truth
from cxr_common.transforms import FindChestd
from cxr_tools.lungs import LUNG_WEIGHTS, SEGMENTER
from tools.mask_ways import Ways
from tools.phantom_sets import make_phantoms
from tools.repository import BUNDLES
from tools.results.data import Items, make_nih, mix, prepare
from tools.results.experiment import Data, Experiment
from tools.results.figures import Figure, ScoredSet
from tools.results.localizers import PHANTOM_SKIP
from tools.results.plan import Runs
from tools.results.settings import Settings
from tools.trainings import Run

FIGURES = ("image iou", "data set iou", "boundary f")
#: Class that is not scored, by test set.
SKIPPED = {"phantoms": PHANTOM_SKIP}


class Refinement(Experiment):
    """A relation network on every localiser's heatmaps."""

    shares = ("phantoms", "nih")
    prefix = "irn_"

    def plan_methods(self) -> Settings:
        """Localisers that have weights."""
        return plan_localizers(self.settings)

    def make_data(self) -> Data:
        """Images with a finding: phantoms, and rows of NIH's images where they are at hand; test phantoms and masks."""
        settings, work, shared = self.settings, self.work, self.options.shared
        phantoms, *_ = make_phantoms(settings["phantoms"], work / "phantoms")
        sources, tests = [(phantoms, phantoms.parent)], {"phantoms": load_datalist(phantoms, "testing")}
        if shared.is_dir():
            sources.append((make_nih(settings["nih"], shared, work), shared))
            # Masks of consolidation and ground-glass opacity, joined; nothing is trained or tuned on them.
            opacities = prepare("shared_cxr_opacity", shared, work / "ieee8023.json")
            tests["ieee8023"] = load_datalist(opacities, "testing", shared, LABELS)
        path = mix(sources, work / "refinement.json", phantoms=settings)
        sections = [data_sha256(load_datalist(path, section)) for section in ("training", "validation")]
        hashes = learned_from(self.methods, sections)
        return Data(dict.fromkeys(hashes, path), tests, True, hashes=hashes, trained_on={"training": sections[0]})

    def missing(self, names: Sequence[str], done: Runs) -> list[str]:
        """Localisers without a relation network, among them those without weights."""
        return [name for name in self.settings["localizers"] if name not in done]

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """All methods on every localiser's heatmaps; thresholds and steps, chosen on the validation phantoms."""
        path = next(iter(self.data.datalists.values()))
        develop = [item for item in load_datalist(path, "validation") if item["source"] == "phantom"]
        tests: list[ScoredSet] = []
        chosen: Settings = {"thresholds": {}, "steps": {}}
        for name, runs in done.items():
            images = {test: read_images(runs[0], items, SKIPPED.get(test)) for test, items in self.data.tests.items()}
            found = Ways([*runs.values()], read_images(runs[0], develop), images, self.settings["walks"])
            chosen["thresholds"][name], chosen["steps"][name] = found.thresholds, found.steps
            for test, masks in found.masks.items():
                groups = [item_group(item) for item in found.images[test].dataset.data]
                tests.append(refined_test(f"{name}, {test}", masks, groups))
        return tests, chosen


def refined_test(name: str, methods: Mapping[str, Mapping[int, Masks]], groups: Sequence[str]) -> ScoredSet:
    """Figures of every way to masks, and what each adds to the thresholded heatmap."""
    scored = np.isfinite(methods["heatmap"][0].counts.true)
    pairs = {label: int(scored[:, c].sum()) for c, label in enumerate(LABELS) if scored[:, c].any()}
    figures = [Figure.measured(methods, kind, "all") for kind in FIGURES]
    figures += [Figure.measured(methods, "data set iou", label) for label in pairs]
    return ScoredSet(name, groups, figures, "heatmap", pairs, int(scored.any(1).sum()))


def plan_localizers(settings: Settings) -> Settings:
    """Localiser -> the training of its relation network, of those that have weights."""
    planned = {}
    for name, part in settings["localizers"].items():
        bundle = part["bundle"]
        if weights_of(bundle).exists():
            overrides = {"localizer": f"$@bundle_root + '/../{bundle}'", **part.get("overrides", {})}
            planned[name] = {**part, "localizer": bundle, "bundle": settings["bundle"], "overrides": overrides}
    return planned


def learned_from(methods: Settings, sections: Sequence[str]) -> dict[str, str]:
    """Method -> hash of the hashes of its data, and of the weights that its heatmaps come from."""
    hashes = {}
    for name, method in methods.items():
        made_by = weights_sha256(weights_of(method["localizer"]))
        hashes[name] = hashlib.sha256(json.dumps([made_by, *sections]).encode()).hexdigest()
    return hashes


def weights_of(bundle: str) -> Path:
    """Weights of a bundle."""
    return BUNDLES / bundle / "models" / "model.pt"


def read_images(run: Run, items: Items, skip: str | None = None, truth: Truth = "masks", gated: bool = False) -> Images:
    """Items that have a finding, with their heatmaps, read as the configs of a run say; and with their lung gates."""
    parser = run.config()
    transform = parser.get_parsed_content("refine#dataset#transform")
    if gated:
        grey = parser["intensity_mean"], parser["intensity_std"]
        transform = Compose([transform, FindChestd("image", BUNDLES / SEGMENTER / LUNG_WEIGHTS, *grey)])
    found = [item for item in items if 1 in item["label"]]
    dataset = CacheDataset(found, transform, num_workers=1, progress=False)
    return Images(dataset, list(LABELS), (float(parser["intensity_mean"]), float(parser["intensity_std"])), skip, truth)
