"""A localiser bundle as a function: a radiograph's path in, heatmaps and decisions out."""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from torch.utils.data import get_worker_info

from cxr_common.errors import InputError, own_input_errors
from cxr_common.findings.thresholds import relative_mask
from cxr_common.networks.weights import load_weights


class LocalizerBundle:
    """Heatmaps of single radiographs by a localiser bundle's own inference: its preprocessing, inferer and thresholds.

    The bundle is read when the first radiograph comes, not before.

    Args:
        folder: of the bundle; None for one that is not there, which is an error when it is asked.
        weights: other weights than its ``models/model.pt``, with their thresholds.json beside them.
        device: where to run.
    """

    def __init__(
        self, folder: str | Path | None, weights: str | Path | None = None, device: torch.device | str = "cpu"
    ) -> None:
        self.folder, self.weights = None if folder is None else Path(folder), weights
        self._device = device

    @property
    def device(self) -> torch.device | str:
        """Where it runs: the device given, but the CPU in a loader's process, where CUDA cannot be used."""
        return "cpu" if get_worker_info() is not None else self._device

    @cached_property
    def _parts(self) -> dict[str, Any]:
        if self.folder is None:
            action = "give a heatmap file, a folder of heatmaps or a localiser bundle"
            raise InputError("a radiograph has no heatmap, and no localiser is named", "localizer", action)
        config = self.folder / "configs" / "inference.json"
        if not config.is_file():
            action = f"fetch the bundle {self.folder.name} and put its folder there, or name another by --localizer"
            raise InputError("is not a localiser bundle: it has no configs/inference.json", self.folder, action)
        if (root := str(self.folder.resolve())) not in sys.path:
            sys.path.append(root)  # a packed bundle carries its own code
        parser = ConfigParser()
        parser.read_config(config)
        parser["bundle_root"] = str(self.folder)
        if self.weights is not None:
            parser["weights"] = str(self.weights)
        names = ("network_def", "inferer", "preprocessing", "postprocessing", "labels", "weights", "thresholds")
        parts = {name: parser.get_parsed_content(name) for name in names}
        load_weights(parts["network_def"], parts["weights"])
        parts["network_def"].to(self.device).eval()
        return parts

    @torch.no_grad()
    def __call__(self, image: str | Path) -> dict[str, Any]:
        """Localise the findings of one radiograph.

        Args:
            image: its path.

        Returns:
            "heatmap" (C, X, Y) float32 in [0, 1], "label_names", "decision", "probability" and "mask_threshold", the
            last three as :func:`~cxr_common.refinement.localized.localized_items` has them.

        Raises:
            InputError: no such bundle, or the radiograph cannot be used.
        """
        parts = self._parts
        with own_input_errors():
            item = parts["preprocessing"]({"image": str(image)})
        pred = parts["inferer"](item["image"][None].to(self.device), parts["network_def"])[0].cpu()
        out = parts["postprocessing"]({**item, "pred": pred})
        if "failure" in out["findings"]:
            failure = out["findings"]["failure"]
            raise InputError(failure["reason"], image, failure["action"])
        findings = out["findings"]["findings"]
        return {
            **relative_mask(parts["thresholds"].as_dict(), parts["labels"]),
            "heatmap": torch.as_tensor(out["heatmap"]).float(),
            "label_names": list(parts["labels"]),
            "decision": [int(finding["decision"]) for finding in findings],
            "probability": [finding["probability"] for finding in findings],
        }
