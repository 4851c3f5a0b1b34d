"""Training runs of an experiment: each one a bundle's own training, known by what went into it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from monai.bundle import ConfigParser

from cxr_common.labels import LABELS
from cxr_common.networks import load_weights, weights_sha256
from cxr_common.networks.lite_weights import installed_lite_weights
from cxr_common.networks.pretrained import IMAGENET
from tools.repository import BUNDLES
from tools.results.moved_code import without_modules

_EPOCH = re.compile(r"Trainer - INFO - Epoch\[(\d+)\] Complete\. Time taken: (\d+):(\d+):([\d.]+)")


@dataclass(frozen=True)
class Run:
    """One network trained with one seed.

    Attributes:
        method: name in the experiment file.
        seed: of weights, order and augmentation.
        bundle: folder of the bundle whose training it is.
        configs: that bundle's config files, in order.
        overrides: config entries that differ from them.
        folder: where its files go.
        previous: the run whose best weights this one starts from, if any.
        start: the run whose best backbone this one starts from, if any; of a first cycle.
    """

    method: str
    seed: int
    bundle: Path
    configs: tuple[Path, ...]
    overrides: dict[str, Any]
    folder: Path
    previous: Run | None = None
    start: Run | None = None

    @property
    def name(self) -> str:
        """``method-seedN``."""
        return f"{self.method}-seed{self.seed}"

    @property
    def weights(self) -> Path:
        """Best weights of the run."""
        return self.folder / "model.pt"

    def recipe(self, data_hash: str) -> str:
        """Hash of what must be equal for a finished run to be used again: configs (not comments, nor in which module a
        name is defined), seed, data and the content of the file that the backbone starts from."""
        parts: list[Any] = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in self.configs]
        parts += [self.overrides, self.seed, data_hash]
        if backbone := self.backbone_weights():
            parts.append(weights_sha256(backbone))
        parts += [run.recipe(data_hash) for run in (self.previous, self.start) if run]
        return hashlib.sha256(json.dumps(without_modules(parts), sort_keys=True).encode()).hexdigest()

    def config(self, labels: Sequence[str] = LABELS) -> ConfigParser:
        """The configuration it is trained with, for data of these classes."""
        parser = ConfigParser()
        parser.read_config(self.configs)
        parser.update({**self.overrides, "bundle_root": str(self.bundle), "labels": list(labels)})
        return parser

    def network(self, labels: Sequence[str] = LABELS) -> Any:
        """Its network with its best weights."""
        out = self.config(labels).get_parsed_content("network_def")
        load_weights(out, self.weights)
        return out

    def backbone_weights(self) -> Path | None:
        """The file that the configs name for the backbone to start from, if any."""
        parser = self.config()
        given = parser.get_parsed_content("backbone_weights") if parser.get("backbone_weights") else None
        if given == IMAGENET:
            return installed_lite_weights(parser.get_parsed_content("backbone"))
        return Path(given) if given else None

    def is_done(self, data_hash: str) -> bool:
        """Whether it was trained to the end, with this recipe."""
        done = self.folder / "run.json"
        return done.exists() and json.loads(done.read_text(encoding="utf-8"))["recipe"] == self.recipe(data_hash)

    def validation_loss(self) -> float:
        """Lowest validation loss, that of the best weights."""
        return float(torch.load(self.folder / "checkpoint.pt", map_location="cpu", weights_only=True)["best_metric"])

    def best_cycle(self) -> Run:
        """Of this run and those before it, the one whose best weights have the lowest validation loss."""
        if self.previous is None:
            return self
        return min((self.previous.best_cycle(), self), key=Run.validation_loss)

    def minutes(self) -> float:
        """Minutes of training by its log, epoch by epoch, so also of a run that was stopped and resumed; with cycles
        before it. Starting up and filling the cache are not in it."""
        text = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        epochs = {int(n): (int(h), int(m), float(s)) for n, h, m, s in _EPOCH.findall(text)}
        own = sum(60 * h + m + s / 60 for h, m, s in epochs.values())
        return own + (self.previous.minutes() if self.previous else 0)

    def machine(self) -> str:
        """What it was trained on."""
        done = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        return done.get("gpu") or f"{os.cpu_count()} CPU cores, {done['threads']} to a training"

    def config_files(self) -> list[Path]:
        """Everything the bundle is configured with, the overlay of this run last."""
        return [*self.configs, self.folder / "overrides.yaml"]


def plan_runs(
    settings: Mapping[str, Any], work: Path, methods: Mapping[str, Any] | None = None, prefix: str = ""
) -> list[Run]:
    """The last training of every method and seed: first seeds first, so that all methods can be compared early.

    Args:
        settings: of the experiment, with "bundle" and "configs"; and, where there are any, "overrides" of all methods,
            "cycles" (a cycle starts from the best weights of the one before) and "start" (a training whose backbone all
            start from).
        work: folder of everything; runs lie in ``work/runs``.
        methods: method -> its "seeds" and, where it differs, "bundle" and "overrides"; default those of the settings.
        prefix: of the runs' names.
    """

    def bundle_and_configs(name: str) -> tuple[Path, tuple[Path, ...]]:
        bundle = BUNDLES / name
        return bundle, tuple(bundle / "configs" / config for config in settings["configs"])

    first, start, runs = settings.get("start"), None, []
    if first:
        start = Run("start", 0, *bundle_and_configs(first["bundle"]), first["overrides"], work / "runs" / "start")
    for name, method in (settings["methods"] if methods is None else methods).items():
        bundle, configs = bundle_and_configs(method.get("bundle", settings["bundle"]))
        for place, seed in enumerate(method.get("seeds", [])):
            run: Run | None = None
            for number, cycle in enumerate(settings.get("cycles", [{}]), start=1):
                # A method may change what all methods and the cycle say.
                overrides = {**settings.get("overrides", {}), **cycle, **method.get("overrides", {})}
                folder = f"{prefix}{name}-seed{seed}" + (f"-cycle{number}" if "cycles" in settings else "")
                begin = start if run is None else None
                run = Run(prefix + name, seed, bundle, configs, overrides, work / "runs" / folder, run, begin)
            runs.append((place, run))
    return [run for _, run in sorted(runs, key=lambda pair: pair[0]) if run]
