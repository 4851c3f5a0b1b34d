"""The data of the NIH experiment: real images, findings simulated onto them, phantoms; and the official boxes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.datalist_schema import Item
from cxr_common.evaluation import NetworkMaps
from cxr_common.labels import LABELS
from cxr_tools.prepare.merge import merge_datalists
from cxr_tools.workflow import run_tool
from tools.phantom_sets import make_phantoms
from tools.results.data import Items, prepare
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


def make_training(settings: Settings, shared: Path, work: Path) -> tuple[Path, Path]:
    """Make all that is trained on.

    In the validation section, phantoms and simulated findings keep their boxes and forget their labels: epochs and
    decision thresholds are chosen on real images alone, mask thresholds on exact places alone.

    Args:
        settings: of the experiment.
        shared: folder of the NIH images.
        work: folder for data.

    Returns:
        Datalist of the NIH images, relative to `shared`; datalist to train on, relative to `work`.
    """
    nih = prepare(settings["nih"]["mapping"], shared, work / "nih14.json")
    simulated, chests, training = work / "nih_simulated", work / "nih14_chests.json", work / "nih_training.json"
    known = ("--datalist", nih, "--root", shared, "--output")
    if not simulated.exists():
        wanted = {section: settings["simulated"][section] for section in ("training", "validation")}
        most = [part for section, n in wanted.items() if n is not None for part in (f"--{section}", n)]
        run_tool("cxr_tools.simulate_findings", *known, simulated, "--seed", settings["simulated"]["seed"], *most)
    if not chests.exists():
        run_tool("cxr_tools.lungs", *known, chests)
    made = (simulated / "datalist.json", *make_phantoms(settings["phantoms"], work / "nih_phantoms"))
    data = merge_datalists([chests, *made], [work, *(path.parent for path in made)], work, LABELS)
    unknown = [None] * len(LABELS)
    validation = [i if i["source"] == "nih" else {**i, "label": unknown} for i in data["validation"]]
    write_datalist({"labels": list(LABELS), "training": data["training"], "validation": validation}, training)
    return nih, training


def make_tests(settings: Settings, nih: Path, shared: Path, work: Path) -> dict[str, Items]:
    """Items of the test sets, with absolute paths.

    Returns:
        "nih": images of other patients, for image labels; "boxes": images with official boxes, as
        :func:`by_box_finding` has them; "phantoms".
    """
    (phantoms,) = make_phantoms(settings["phantoms_test"], work / "nih_phantoms_test")
    boxed = load_datalist(nih, "localisation", shared)
    return {
        "nih": load_datalist(nih, "testing", shared),
        # Their patients are in ../cxr's training rows, which other weights have learned from.
        "boxes": [by_box_finding(item) for item in boxed if not item.get("patient_in_cxr_train")],
        "phantoms": load_datalist(phantoms, "testing"),
    }


def by_box_finding(item: Item) -> Item:
    """An item whose labels and box classes are those of :data:`BOX_FINDINGS` in place of the shared ones."""
    names = list(BOX_FINDINGS)
    label = [int(name in item["findings"]) for name in names]
    return {**item, "label": label, "box_labels": [names.index(name) for name in item["box_findings"]]}


def predictions_by_box_finding(predictions: NetworkMaps) -> NetworkMaps:
    """Predictions over the shared labels, as predictions over :data:`BOX_FINDINGS`; its items are so already."""
    columns = [LABELS.index(label) for label in BOX_FINDINGS.values()]
    logits, maps = predictions.logits[:, columns], predictions.maps[:, columns]
    return replace(predictions, labels=list(BOX_FINDINGS), logits=logits, maps=maps)
