"""The NIH experiment: localisers on real radiographs with official boxes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.datalist_schema import Item
from cxr_common.data.phantom import GENERATOR_VERSION
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.files import write_json
from cxr_common.json_files import read_json
from cxr_common.labels import LABELS
from cxr_common.loading import find_bundle
from cxr_common.metrics import auroc
from cxr_common.metrics.statistics import label_statistic
from cxr_common.networks import weights_sha256
from cxr_tools.lungs import LUNG_WEIGHTS, SEGMENTER
from cxr_tools.prepare.merge import merge_datalists
from cxr_tools.workflow import run_tool
from tools.phantom_sets import make_phantoms
from tools.results.data import Items, count_sources, prepare
from tools.results.experiment import Data
from tools.results.figures import Figure, ScoredSet, first, mapped
from tools.results.localizers import Localizers, Methods, box_test, label_figures
from tools.results.record import read_result
from tools.results.settings import Settings

#: The findings that have official boxes -> the shared label whose map shows them (Wang 2017).
BOX_FINDINGS: dict[str, str] = {
    **{name: name for name in ("Atelectasis", "Cardiomegaly", "Effusion")},
    "Infiltration": "Opacity",
    "Mass": "Mass",
    "Nodule": "Nodule",
    "Pneumonia": "Opacity",
    "Pneumothorax": "Pneumothorax",
}
#: The shared labels that boxes are annotated for.
BOXED = tuple(label for label in LABELS if label in BOX_FINDINGS.values())
#: Findings that Opacity gathers and that NIH labels by themselves: the Opacity logit is scored on each.
OPACITIES = ("Infiltration", "Pneumonia", "Consolidation")
VIEWS = ("PA", "AP")
#: In the work folder, the datalist of all that is learned from.
TRAINING = "nih_training.json"


class Nih(Localizers):
    """Localisers that learn from NIH's images, simulated findings and phantoms; what ships."""

    needs = "this experiment learns from NIH's images and is scored on them"
    radiographs = home = "nih"
    own_labels = {"boxes": BOX_FINDINGS}
    shown = "boxes"

    def make_data(self) -> Data:
        """Real images, simulated findings and phantoms to learn from.

        The test sets are "nih": images of other patients, for image labels; "boxes": images with official boxes, as
        :func:`by_box_finding` has them; and "phantoms".
        """
        work, shared = self.work, self.options.shared
        self.nih = nih = prepare(self.settings["nih"]["mapping"], shared, work / "nih14.json")
        (phantoms,) = make_phantoms(self.settings["phantoms_test"], work / "nih_phantoms_test")
        tests = {**scored_images(nih, shared), "phantoms": load_datalist(phantoms, "testing")}
        hashes = {"training": made_from(self.settings, nih, shared)}
        training, kept = work / TRAINING, self.options.output / f"{self.options.experiment.stem}.json"
        known = read_result(kept) if kept.exists() and not training.exists() else {}
        # Making what is learned from takes a quarter of an hour, and kept outcomes do without it.
        if known.get("trained_on") == hashes:
            counts = known["images"]
        else:
            counts = count_sources(make_training(self.settings, nih, shared, work), ("nih", "simulated", "phantom"))
        return Data({"training": training}, tests, images=counts, hashes=hashes)

    def before_training(self) -> None:
        """Make the images to learn from, where only their number was needed so far."""
        make_training(self.settings, self.nih, self.options.shared, self.work)

    def score_tests(self, methods: Mapping[str, Methods]) -> list[ScoredSet]:
        """Points and overlaps on boxes and phantoms, image labels of the test images."""
        tests = {"boxes": box_test, "nih": label_test, "phantoms": box_test}
        return [score(name, methods[name], self.settings["baseline"]) for name, score in tests.items()]

    def draw(self, file: str, record: Settings) -> None:
        """The first image with a box of every finding; it stays in the work folder, for it shows patients' images."""
        self.draw_gallery(self.work / "nih-gallery.png", record, self.settings["headline"])


def make_training(settings: Settings, nih: Path, shared: Path, work: Path) -> Path:
    """Make all that is trained on, from the datalist of the NIH images in `shared`; returns its datalist in `work`.

    In the validation section, phantoms and simulated findings keep their boxes and forget their labels: epochs and
    decision thresholds are chosen on real images alone, mask thresholds on exact places alone.
    """
    chests, training = work / "nih14_chests.json", work / TRAINING
    if not is_made(chests, {"real": real_parts(nih, shared)}):
        run_tool("cxr_tools.lungs", "--datalist", nih, "--root", shared, "--output", chests)
    made = (
        make_simulated(settings["simulated"], nih, shared, work),
        *make_phantoms(settings["phantoms"], work / "nih_phantoms"),
    )
    data = merge_datalists([chests, *made], [work, *(path.parent for path in made)], work, LABELS)
    unknown = [None] * len(LABELS)
    validation = [i if i["source"] == "nih" else {**i, "label": unknown} for i in data["validation"]]
    write_datalist({"labels": list(LABELS), "training": data["training"], "validation": validation}, training)
    return training


def made_from(settings: Settings, nih: Path, shared: Path) -> str:
    """Hash of what :func:`make_training` starts from, by which trainings are known on any machine.

    Chests and the places of simulated findings come from the lung model, whose last digits differ between kinds of
    processors. So a hash of all that is trained on would be another one on each.
    """
    made = {name: settings[name] for name in ("simulated", "phantoms")}
    return hashlib.sha256(json.dumps([*real_parts(nih, shared), made], sort_keys=True).encode()).hexdigest()


def real_parts(nih: Path, shared: Path) -> list[str]:
    """Hashes of the real images that are learned from, and of the lung model."""
    parts = [data_sha256(load_datalist(nih, section, shared)) for section in ("training", "validation")]
    return [*parts, weights_sha256(find_bundle(SEGMENTER) / LUNG_WEIGHTS)]


def is_made(path: Path, parts: Settings) -> bool:
    """Whether a file or folder of the work folder is there; what it is made from is noted beside it, before it is made.

    Trainings are known by what their data are made from, so data of something else would pass for them. What was made
    before there were such notes is taken as it is.

    Raises:
        InputError: it is there and was made from something else.
    """
    note = path.with_name(f"{path.name}.made_from.json")
    if not path.exists():
        write_json(parts, note)
        return False
    if note.exists() and read_json(note, "delete it and what it is of") != parts:
        reason = "was made from other images, another lung model or other settings than the experiment wants"
        raise InputError(reason, path, "delete it, or choose another work folder")
    return True


def make_simulated(settings: Settings, nih: Path, shared: Path, work: Path) -> Path:
    """Put findings into the No Finding images of the datalist `nih`, unless it is done; returns their datalist."""
    simulated = work / "nih_simulated"
    parts = {"real": real_parts(nih, shared), "simulated": settings, "generator": GENERATOR_VERSION}
    if not is_made(simulated, parts):
        most = [p for name in ("training", "validation") if (n := settings[name]) is not None for p in (f"--{name}", n)]
        given = ("--datalist", nih, "--root", shared, "--output", simulated, "--seed", settings["seed"])
        run_tool("cxr_tools.simulate_findings", *given, *most)
    return simulated / "datalist.json"


def simulated_from(settings: Settings, nih: Path, shared: Path) -> str:
    """Hash of what :func:`make_simulated` starts from; see :func:`made_from` for why not of what it makes."""
    parts = [*real_parts(nih, shared), settings, GENERATOR_VERSION]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def scored_images(nih: Path, shared: Path) -> dict[str, Items]:
    """Images of the test sets "nih" and "boxes", from the datalist of the images in `shared`."""
    boxed = [by_box_finding(item) for item in boxed_images(nih, shared)]
    return {"nih": load_datalist(nih, "testing", shared), "boxes": boxed}


def boxed_images(nih: Path, shared: Path) -> Items:
    """Images with official boxes; patients in ../cxr's training rows are left out: other weights learned from them.

    Raises:
        InputError: an image has no boxes, or does not say whether its patient is among those rows; or a box is of no
            finding that has official boxes, or of one that the image's labels do not have.
    """
    items = load_datalist(nih, "localisation", shared)
    for item in items:
        found = item.get("box_findings")
        if not found:
            raise InputError("has no boxes", item["image"], "is boxes.csv whole?")
        if wrong := [name for name in found if name not in BOX_FINDINGS or name not in item["findings"]]:
            raise InputError(
                f"has a box of {wrong[0]}, and its labels not", item["image"], "compare boxes.csv, images.csv"
            )
        if item.get("patient_in_cxr_train") not in (0, 1):
            reason = f"patient_in_cxr_train is {item.get('patient_in_cxr_train')!r}, not 0 or 1"
            raise InputError(reason, item["image"], "it says who must not be scored")
    return [item for item in items if not item["patient_in_cxr_train"]]


def by_box_finding(item: Item) -> Item:
    """An item whose labels and box classes are those of :data:`BOX_FINDINGS` in place of the shared ones."""
    names = list(BOX_FINDINGS)
    label = [int(name in item["findings"]) for name in names]
    return {**item, "label": label, "box_labels": [names.index(name) for name in item["box_findings"]]}


def label_test(name: str, methods: Methods, baseline: str) -> ScoredSet:
    """AUROC and average precision of the test images, by class and by view; macro averages over :data:`BOXED`."""
    seen = mapped(methods, lambda one: one.of_labels(BOXED))
    p, figures = first(seen).predictions, label_figures(seen)
    counts = {label: int((p.label[:, c] == 1).sum()) for c, label in enumerate(p.labels)}
    opacity = [LABELS.index("Opacity")]
    for finding in OPACITIES:  # each against its own labels
        present = np.array([[finding in item["findings"]] for item in p.items], dtype=float)
        logits = mapped(methods, lambda one: one.predictions.logits[:, opacity])
        told = mapped(logits, lambda scores, present=present: label_statistic(auroc, scores, present))
        figures.append(Figure("auroc", finding, told, compared=False))
        counts[finding] = int(present.sum())
    for view in VIEWS:
        keep = np.array([item.get("view") == view for item in p.items])
        within = mapped(seen, lambda one, keep=keep: one.subset(keep).statistic("auroc"))
        figures.append(Figure("auroc", view, within, compared=False, patients=p.subset(keep).patients))
        counts[view] = int(keep.sum())
    return ScoredSet(name, p.patients, figures + label_figures(seen, "ap"), baseline, counts)
