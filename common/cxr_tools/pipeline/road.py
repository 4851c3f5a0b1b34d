"""The stages from image labels to masks, each of which reads what the one before wrote."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from cxr_common.data import load_datalist, load_labels, read_datalist, write_datalist
from cxr_common.data.datalist import relative_item
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.files import file_sha256
from cxr_common.findings import load_thresholds
from cxr_common.loading import find_bundle
from cxr_common.networks import weights_sha256
from cxr_common.networks.pretrained import IMAGENET
from cxr_common.start.overrides import check_overrides
from cxr_tools.pipeline.settings import LOCALIZERS, PARTS
from cxr_tools.pipeline.stage import Stage

SECTIONS = ("training", "validation")
REFINEMENT, SEGMENTER = "cxr_irn_refinement", "cxr_chexseg_segmentation"


@dataclass(frozen=True)
class Road:
    """A pipeline run.

    Attributes:
        datalist: the user's.
        root: what its paths are relative to.
        localizer: key of :data:`~cxr_tools.pipeline.settings.LOCALIZERS`.
        output: folder of everything.
        settings: of :func:`~cxr_tools.pipeline.settings.load_settings`.
        processes: of trainings, under torchrun.
    """

    datalist: Path
    root: Path
    localizer: str
    output: Path
    settings: Mapping[str, Any]
    processes: int = 1

    def unknown_labels(self) -> list[str]:
        """Classes of the datalist that get no masks: shipped networks make them, and do not know these."""
        if self.settings["localizer"]["train"]:
            return []
        weights = self._weights("localizer", LOCALIZERS[self.localizer])
        known = load_thresholds(weights.with_name("thresholds.json")).labels
        return [label for label in load_labels(self.datalist) if label not in known]

    def travel(self, run: Callable[[Stage], None]) -> None:
        """Run stage by stage; a later stage is only made when what it reads is there.

        Args:
            run: runs a stage, or passes over one that is done.

        Raises:
            InputError: a setting is unknown or impossible, a section has no image, or a stage failed.
        """
        for part, bundle in zip(PARTS, (LOCALIZERS[self.localizer], REFINEMENT, SEGMENTER), strict=True):
            settings = self.settings[part]
            configs = [find_bundle(bundle) / "configs" / name for name in settings["configs"]]
            check_overrides(configs, settings["overrides"], f"settings: {part}")
        for section in SECTIONS:
            if not read_datalist(self.datalist).get(section):
                raise InputError(f"has no images in {section!r}", self.datalist, "add some: it tunes and picks epochs")
        for section in SECTIONS:
            load_datalist(self.datalist, section, str(self.root))  # names what is wrong before anything is trained
        for stage in self.stages():
            run(stage)

    def stages(self) -> Iterator[Stage]:
        """The stages in order; the inputs of a stage are hashed when it is reached."""
        labels = {"data": self._data_hash(("training", "validation"))}
        localizer, weights = LOCALIZERS[self.localizer], self._weights("localizer", LOCALIZERS[self.localizer])
        if self.settings["localizer"]["train"]:
            yield self._training("localizer", "train the localiser", localizer, self._data(), labels)
        thresholds = weights.with_name("thresholds.json")
        seen = {"weights": weights_sha256(weights), "thresholds": file_sha256(thresholds), **labels}
        yield from self._per_section("heatmaps", "heatmaps", localizer, {"weights": str(weights)}, seen)

        relation = self._weights("relation_network", REFINEMENT)
        heat = {f"heatmaps, {section}": self._record_hash(section) for section in SECTIONS}
        if self.settings["relation_network"]["train"]:
            overrides = {**self._data(), "localizer": None}
            overrides["train#dataset#data"] = self._refined_items("training")
            overrides["validate#dataset#data"] = overrides["refine#dataset#data"] = self._refined_items("validation")
            tuned = {"validation masks": self._data_hash(("validation",), masks=True)}
            inputs = labels | heat | tuned
            yield self._training("relation_network", "train the relation network", REFINEMENT, overrides, inputs)
        masks = {"weights": str(relation), "datalist": str(self.datalist), "dataset_dir": str(self.root)}
        if self.settings["relation_network"]["train"]:
            masks |= self._network("relation_network", REFINEMENT)
            masks["calibrate_to"] = self._config("relation_network", REFINEMENT)["calibrate_to"]
        for section in SECTIONS:
            folder = self.output / "pseudo_masks" / section
            overrides = {**masks, "section": section, "heatmap_dir": str(self.output / "heatmaps" / section)}
            walked = {"thresholds": file_sha256(relation.with_name("thresholds.json"))}
            inputs = {"weights": weights_sha256(relation), **walked, **labels, "heatmaps": self._record_hash(section)}
            yield Stage(f"pseudo-masks, {section}", REFINEMENT, ("inference.json",), overrides, folder, inputs)

        mixed, experts = self.mixed_datalist()
        segmenter = self.settings["segmenter"]
        overrides = {"datalist": str(mixed), "dataset_dir": str(mixed.parent)}
        overrides |= {} if experts else {"supervision": "pseudo"}
        learned = {"masks": data_sha256(load_datalist(mixed, "training"), masks=True)}
        learned["validation"] = data_sha256(load_datalist(mixed, "validation"), masks=True)
        yield self._training("segmenter", "train the segmenter", SEGMENTER, overrides, learned)
        if not read_datalist(self.datalist).get("testing"):
            return
        weights = self.output / "segmenter" / "model.pt"
        tested = {"weights": weights_sha256(weights), "data": self._data_hash(("testing",), masks=True)}
        chosen = {"weights": str(weights), **segmenter["overrides"]}
        configs = (*segmenter["configs"], "evaluate.yaml")
        folder = self.output / "evaluation"
        yield Stage("evaluation", SEGMENTER, configs, {**chosen, **self._data()}, folder, tested)
        shown = {"weights": str(weights), "dataset_dir": str(self.root), **self._network("segmenter", SEGMENTER)}
        shown["dataset#data"] = self._images("testing")
        yield Stage("masks of the test images", SEGMENTER, ("inference.json",), shown, self.output / "masks", tested)

    def _training(
        self, part: str, name: str, bundle: str, overrides: Mapping[str, Any], inputs: Mapping[str, str]
    ) -> Stage:
        settings = self.settings[part]
        merged = {**settings["overrides"], **overrides}
        start = merged.get("backbone_weights", self._config(part, bundle).get("backbone_weights"))
        if start is None and part != "localizer":
            start = merged["backbone_weights"] = str(self._weights("localizer", LOCALIZERS[self.localizer]))
        inputs = {**inputs, **self._backbone_hash(bundle, start)}
        return Stage(name, bundle, tuple(settings["configs"]), merged, self.output / part, inputs, self.processes)

    def _per_section(
        self, folder: str, name: str, bundle: str, overrides: Mapping[str, Any], inputs: Mapping[str, str]
    ) -> Iterator[Stage]:
        network = self._network("localizer", bundle) if self.settings["localizer"]["train"] else {}
        for section in SECTIONS:
            data = {"dataset_dir": str(self.root), "dataset#data": self._images(section), **network}
            output = self.output / folder / section
            yield Stage(f"{name}, {section}", bundle, ("inference.json",), {**overrides, **data}, output, inputs)

    def _data(self) -> dict[str, Any]:
        return {"datalist": str(self.datalist), "dataset_dir": str(self.root)}

    def _config(self, part: str, bundle: str) -> ConfigParser:
        """The configuration a part is trained with."""
        root, settings = find_bundle(bundle), self.settings[part]
        parser = ConfigParser()
        parser.read_config([root / "configs" / name for name in settings["configs"]])
        parser.update({**settings["overrides"], "bundle_root": str(root), "labels": load_labels(self.datalist)})
        return parser

    def _network(self, part: str, bundle: str) -> dict[str, Any]:
        """The network a part trains and its scale of grey values, as overrides for its bundle's inference."""
        trained, inference = self._config(part, bundle), ConfigParser()
        inference.read_config(find_bundle(bundle) / "configs" / "inference.json")
        scale = {name: trained.get_parsed_content(name) for name in ("intensity_mean", "intensity_std")}
        changed = {name: value for name, value in scale.items() if value != inference.get_parsed_content(name)}
        item = trained.get_parsed_content("network_def", instantiate=False)
        return {"network_def": item.get_config(), **changed}

    def _backbone_hash(self, bundle: str, weights: str | None) -> dict[str, str]:
        """Hash of the weights a training starts from; they may be given relative to its bundle."""
        if weights is None:
            return {}
        if weights == IMAGENET:  # of an installed package, not a file
            return {"backbone": IMAGENET}
        parser = ConfigParser({"bundle_root": str(find_bundle(bundle)), "weights": weights})
        path = Path(parser.get_parsed_content("weights"))
        if not path.is_file():
            raise InputError("is not there", path, "give backbone_weights another file, or leave it out")
        return {"backbone": weights_sha256(path)}

    def _images(self, section: str) -> str:
        return f"$cxr_common.data.images_of({str(self.datalist)!r}, {section!r}, {str(self.root)!r})"

    def _refined_items(self, section: str) -> str:
        known = (str(self.root), str(self.output / "heatmaps" / section), str(self.datalist), section, True)
        return f"$cxr_common.refinement.items_to_refine(*{known!r})"

    def _weights(self, part: str, bundle: str) -> Path:
        """Weights a part uses: those it trains, else the bundle's."""
        if self.settings[part]["train"]:
            return self.output / part / "model.pt"
        return find_bundle(bundle) / "models" / "model.pt"

    def _data_hash(self, sections: Sequence[str], masks: bool = False) -> str:
        items = [i for section in sections for i in load_datalist(self.datalist, section, str(self.root), require=())]
        return data_sha256(items, masks)

    def _record_hash(self, section: str) -> str:
        """Hash of what the localiser said of a section."""
        return file_sha256(self.output / "heatmaps" / section / "findings.json")

    def mixed_datalist(self) -> tuple[Path, bool]:
        """Write what the segmenter learns from: experts' masks where there are any, pseudo-masks elsewhere.

        Returns:
            The datalist, and whether an expert's mask is in its training section.
        """
        folder = self.output / "mixed"
        folder.mkdir(parents=True, exist_ok=True)
        content: dict[str, Any] = {"labels": load_labels(self.datalist)}
        for section in SECTIONS:
            own = load_datalist(self.datalist, section, str(self.root))
            experts = [item for item in own if item.get("mask") and item.get("mask_origin", "expert") == "expert"]
            written = self.output / "pseudo_masks" / section / "datalist.json"
            pseudo = load_datalist(written, section, labels=content["labels"])
            named = {os.path.realpath(item["image"]) for item in experts}
            others = [item for item in pseudo if os.path.realpath(item["image"]) not in named]
            # Experts alone choose epoch and thresholds where there are any.
            kept = experts if section == "validation" and experts else experts + others
            content[section] = [relative_item({"mask_origin": "expert", **item}, folder, ("heatmap",)) for item in kept]
        write_datalist(content, folder / "datalist.json")
        return folder / "datalist.json", any(item["mask_origin"] == "expert" for item in content["training"])
