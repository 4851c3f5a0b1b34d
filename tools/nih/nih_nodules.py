"""The detection experiment at 512 pixels, with simulated nodules and masses: images that keep their detail."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from cxr_common.data import load_datalist
from cxr_common.data.phantom import GENERATOR_VERSION
from cxr_common.evaluation import data_sha256
from cxr_common.loading import find_bundle
from cxr_common.networks import weights_sha256
from cxr_tools.lungs import LUNG_WEIGHTS, SEGMENTER
from cxr_tools.workflow import run_tool
from tools.nih.box_outcomes import BoxOutcome, unpack_boxes
from tools.nih.nih import is_made
from tools.nih.nih_detection import NihDetection
from tools.nih.nih_refinement import DRAWN as CXR
from tools.results.data import SECTIONS, Items, prepare, write_items
from tools.results.figures import ScoredSet
from tools.results.outcomes import read_kept
from tools.results.plan import Runs
from tools.results.settings import Settings


class NihNodules(NihDetection):
    """Detectors that learn from crops of larger images, beside what others did at 128 pixels."""

    needs = "this experiment learns from NIH's images of 512 pixels and is scored on them"
    home = "nih_nodules"
    shares = ("nih",)

    def kept_detectors(self) -> dict[str, dict[int, BoxOutcome]]:
        """Detectors of the experiment at 128 pixels whose outcomes on the same images are kept."""
        folder, out = self.options.output / "outcomes" / NihDetection.home, {}
        for name in self.settings["detectors"]:
            kept = read_kept(folder / f"{name}.npz")
            if kept is not None and kept[0]["made_with"]["test_sha256"]["boxes"] == self.test_sha256["boxes"]:
                out[name] = {0: unpack_boxes(*kept, self.nih.boxed)}
        return out

    def make_simulated(self) -> Path:
        """Datalist of nodules and masses put into No Finding images of 512 pixels."""
        settings, folder = self.settings["simulated"], self.work / "nih_nodules_simulated"
        if not is_made(folder, {"made from": self.simulated_from()}):
            listed = write_items(self.work / self.home / "free.json", {"training": self.free_images()})
            given = ("--datalist", listed, "--sections", "training", "--findings", *settings["findings"])
            run_tool("cxr_tools.simulate_findings", *given, "--output", folder, "--seed", settings["seed"])
        return folder / "datalist.json"

    def simulated_from(self) -> str:
        """Hash of the No Finding images, the lung model and the settings."""
        weights = weights_sha256(find_bundle(SEGMENTER) / LUNG_WEIGHTS)
        parts = [data_sha256(self.free_images()), weights, self.settings["simulated"], GENERATOR_VERSION]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def free_images(self) -> Items:
        """Open No Finding images of 512 pixels, without patients of whom there is a boxed image."""
        listed = prepare(self.settings["simulated"]["mapping"], CXR, self.work / self.home / "cxr.json")
        boxed = {item["patient"] for item in load_datalist(self.nih.nih, "localisation", self.options.shared)}
        items = [item for section in SECTIONS for item in load_datalist(listed, section, CXR)]
        return [i for i in items if i["patient"] not in boxed and all(value == 0 for value in i["label"])]

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """Boxes and points, with the detectors of the other experiment among the methods."""
        self.measured = {**self.measured, **self.kept_detectors()}
        return super().score(file, done)
