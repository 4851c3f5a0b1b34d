"""The detection experiment: few boxes, what labels and unlabelled images add, term by term, and boxes on all images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from monai.data import Dataset

from cxr_common.data import load_datalist
from cxr_common.detection import detect
from cxr_common.detection.figures import DetectorFigures
from cxr_common.detection.omni_sampler import SUPERVISION
from cxr_common.errors import InputError
from cxr_common.evaluation import BoxPredictions
from cxr_common.labels import LABELS
from tools.phantom_sets import make_phantoms
from tools.results.data import Items, write_items
from tools.results.experiment import Data, Experiment
from tools.results.figures import Figure, ScoredSet, first, mapped
from tools.results.localizers import PHANTOM_SKIP
from tools.results.plan import Runs
from tools.results.plots import curves, draw_once
from tools.results.settings import Settings
from tools.trainings import Run

#: Keys of an item that no detector reads.
UNREAD = ("heatmap", "mask")
#: Kind of annotation -> what an item keeps.
_BOXES = ("boxes", "box_labels", "label")
KEYS: dict[str, tuple[str, ...]] = {"boxes": _BOXES, "simulated": _BOXES, "label": ("label",), "unlabelled": ()}
#: Kind of annotation -> the config entry with its images in a batch.
PLACES = {"boxes": "boxes_per_batch", "label": "labels_per_batch", "unlabelled": "unlabelled_per_batch"}
CURVES = "detection-curves"


class Detection(Experiment):
    """OXnet, some of its terms, and one kind of annotation varied at a time; everything is synthetic.

    Curves have a result file of their own, so that a point can be added without the other methods' weights.
    """

    prefix = "detect_"

    def plan_methods(self) -> Settings:
        """The methods, and one more for each point of a curve."""
        return with_curves(self.settings)

    def make_data(self) -> Data:
        """The same phantoms with other annotations for each method."""
        phantoms, *_ = make_phantoms(self.settings["phantoms"], self.work / "phantoms")
        datalists = make_annotations(self.settings, phantoms, self.work / "detection")
        return Data(datalists, {"phantoms": load_datalist(phantoms, "testing")})

    def files(self) -> dict[str, Sequence[str]]:
        """Methods in one file; where a point is trained, points and the method where all curves meet in another."""
        own = self.settings["methods"]
        points = [name for name in self.methods if name not in own]
        meeting: dict[str, Sequence[str]] = {CURVES: [self.settings["curves"]["of"], *sorted(points)]}
        return {"detection": list(own)} | (meeting if set(points) & set(self.trained()) else {})

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """AP and AUROC; of curves AP40 alone."""
        baseline = self.settings["curves"]["of"] if file == CURVES else self.settings["baseline"]
        test = detection_test(mapped(done, lambda run: detected(run, self.data.tests["phantoms"])), baseline)
        return [replace(test, figures=test.figures[:1], counts={}) if file == CURVES else test], {}

    def draw(self, file: str, record: Settings) -> None:
        """The curves."""
        if file == CURVES:
            draw_once(self.options.output / f"{CURVES}.png", record, lambda: curves(record))


def detected(run: Run, items: Items) -> BoxPredictions:
    """What the network of a run detects on images."""
    config = run.config()
    dataset = Dataset(items, config.get_parsed_content("validate#preprocessing"))
    return detect(run.network(), dataset, list(LABELS), config.get_parsed_content("validate#inferer"))


def detection_test(found: dict[str, dict[int, BoxPredictions]], baseline: str) -> ScoredSet:
    """AP40 (macro, then class by class), AP, FROC and AUROC, without the class that doubles another on phantoms."""
    made = mapped(found, lambda one: DetectorFigures(one, PHANTOM_SKIP))
    one = first(made)
    counts = {label: n for label, n in one.boxes().items() if n}
    figures = [Figure.measured(made, "AP40", of) for of in ("macro", *counts)]
    figures += [Figure.measured(made, name, "macro") for name in ("AP", "FROC", "AUROC")]
    return ScoredSet("phantoms", one.found.patients, figures, baseline, counts)


def with_curves(settings: Settings) -> dict[str, Settings]:
    """The methods, and one more for each point of a curve: the method it is of, with other numbers of images."""
    curves, methods = settings.get("curves", {}), dict(settings["methods"])
    for kind, counts in curves.get("images", {}).items():
        for count in counts:
            point = {**methods[curves["of"]], "images": {kind: count}, "seeds": curves["seeds"], "ships": False}
            if count == 0:  # else its places in a batch would go to the other kinds
                point["overrides"] = {**point["overrides"], PLACES[kind]: 0}
            methods[f"{curves['of']}_{kind}_{count}"] = point
    return methods


def make_annotations(settings: Settings, phantoms: Path, folder: Path) -> dict[str, Path]:
    """A datalist for each method, which differ in what is annotated.

    The training images are shuffled once and cut into a pool for each kind of annotation, as large as any method needs.

    Raises:
        InputError: there are fewer phantoms.
    """
    training, wanted = load_datalist(phantoms, "training"), image_counts(settings).values()
    sizes = [max(count[kind] for count in wanted) for kind in SUPERVISION]
    if sum(sizes) > len(training):
        raise InputError(f"{sum(sizes)} training images are wanted, there are {len(training)}", phantoms)
    order = np.random.default_rng(0).permutation(len(training))
    cut = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
    pools = {kind: [training[index] for index in pool] for kind, pool in zip(SUPERVISION, cut, strict=True)}
    validation = load_datalist(phantoms, "validation")[: settings["validation"]]
    return write_annotations(settings, pools, validation, folder)


def image_counts(settings: Settings) -> dict[str, dict[str, int]]:
    """Method -> kind of annotation -> number of images."""
    methods = with_curves(settings).items()
    return {name: {**settings["images"], **method.get("images", {})} for name, method in methods}


def write_annotations(
    settings: Settings, pools: Mapping[str, Items], validation: Items, folder: Path
) -> dict[str, Path]:
    """A datalist for each method, which takes the first images of each pool.

    So what one method has fewer of is part of what another has.

    Args:
        settings: of the experiment.
        pools: kind of annotation -> images.
        validation: images that choose epochs and thresholds of all methods alike.
        folder: for the datalists.

    Raises:
        InputError: a method wants more images of a kind than there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    methods, out = with_curves(settings), {}
    for name, counts in image_counts(settings).items():
        items = []
        for kind, pool in pools.items():
            if counts[kind] > len(pool):
                raise InputError(f"{name} wants {counts[kind]} images with {kind}, there are {len(pool)}", folder)
            kept = ("image", "patient", *KEYS["boxes" if methods[name].get("fully") else kind])
            items += [{key: item[key] for key in kept if key in item} for item in pool[: counts[kind]]]
        out[name] = write_items(folder / f"{name}.json", {"training": items, "validation": validation}, UNREAD)
    return out
