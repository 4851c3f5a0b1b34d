"""A bundle as files. Reading it executes nothing of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .config_files import ConfigError, merge, read_mapping
from .readme import Command, commands_of

SUFFIXES = (".json", ".yaml", ".yml")
MAX_TEXT = 5 * 1024**2


def is_config(name: str) -> bool:
    """Whether a file's name says that it is a config."""
    return any(word in name for word in ("inference", "train", "evaluate"))


@dataclass(frozen=True)
class Bundle:
    """Where a bundle lies and what its text files say.

    Args:
        root: its folder.
        name: its folder's name, also where it came from a zip.
        archive: the zip it came from.
        own_folder: whether the zip held one folder, as it must.
    """

    root: Path
    name: str
    archive: Path | None = None
    own_folder: bool = True
    answers: dict[str, Any] = field(
        default_factory=dict, compare=False
    )  # of child processes, so that each is asked once

    @cached_property
    def files(self) -> dict[str, Path]:
        """All files, by path relative to the bundle, without what git keeps."""
        found = sorted(p for p in self.root.rglob("*") if p.is_file() or p.is_symlink())
        return {r: p for p in found if not (r := p.relative_to(self.root).as_posix()).startswith(".git/")}

    @cached_property
    def is_model_entry(self) -> bool:
        """Whether this is an entry of the zoo's hf_models: metadata in the root and no configs."""
        return "metadata.json" in self.files and "configs/metadata.json" not in self.files

    @property
    def metadata_path(self) -> str:
        """Where the metadata lie."""
        return "metadata.json" if self.is_model_entry else "configs/metadata.json"

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """Raises `ConfigError` where it cannot be read."""
        return self.read(self.metadata_path)

    def read(self, name: str) -> dict[str, Any]:
        """A JSON or YAML file's mapping; raises `ConfigError`."""
        if name not in self.files:
            raise ConfigError(f"{name} is not there")
        return read_mapping(self.files[name])

    def text(self, name: str) -> str:
        """A text file's content, '' where it is not there; of an absurdly long one the beginning."""
        if name not in self.files or not self.files[name].is_file():
            return ""
        with self.files[name].open("rb") as file:
            return file.read(MAX_TEXT).decode("utf-8", errors="replace")

    @cached_property
    def config_names(self) -> list[str]:
        """Config files beside metadata.json, and whatever else has their suffix there."""
        names = [n for n in self.files if n.startswith("configs/") and n.count("/") == 1 and n.endswith(SUFFIXES)]
        return [n for n in names if n != "configs/metadata.json"]

    @cached_property
    def configs(self) -> dict[str, dict[str, Any]]:
        """Contents of configs that can be read: not of the lists of data that may lie beside them."""
        found = {}
        for name in self.config_names:
            try:
                content = self.read(name)
            except ConfigError:
                continue
            if is_config(name) or any(isinstance(v, str) and v.startswith(("$", "@")) for v in content.values()):
                found[name] = content
        return found

    def config(self, stem: str) -> str | None:
        """Path of `configs/STEM.json` (or .yaml, .yml), None where there is none."""
        return next((n for s in SUFFIXES if (n := f"configs/{stem}{s}") in self.files), None)

    @cached_property
    def readme(self) -> str:
        """Path of the card."""
        return "docs/README.md" if "docs/README.md" in self.files else "README.md"

    @cached_property
    def cards(self) -> list[str]:
        """Paths of all cards: the bundle's, and that of its repository on Hugging Face."""
        return [name for name in ("docs/README.md", "README.md") if name in self.files]

    @cached_property
    def commands(self) -> list[Command]:
        """The commands that the card shows."""
        return commands_of(self.text(self.readme))

    @cached_property
    def weights(self) -> str | None:
        """Path of the shipped weights: models/model.pt, or the only .pt file in models."""
        found = [n for n in self.files if n.startswith("models/") and n.count("/") == 1 and n.endswith(".pt")]
        return "models/model.pt" if "models/model.pt" in found else found[0] if len(found) == 1 else None

    @cached_property
    def modules(self) -> dict[str, str]:
        """Python modules of the bundle: dotted name to path."""
        paths = [n for n in self.files if n.endswith(".py")]
        return {n[:-3].replace("/", ".").removesuffix(".__init__"): n for n in paths}

    @cached_property
    def packages(self) -> set[str]:
        """First parts of the names of the bundle's Python modules."""
        return {name.split(".")[0] for name in self.modules}

    @cached_property
    def combinations(self) -> list[tuple[str, ...]]:
        """The config files that are run together: MONAI's usual ones, and those in the README's commands."""
        inference, train, evaluate = (self.config(n) for n in ("inference", "train", "evaluate"))
        lists = [[inference], [train], [inference, self.config("inference_trt")]]
        lists += [[train, self.config("multi_gpu_train")], [train, evaluate]]
        lists += [[train, evaluate, self.config("multi_gpu_evaluate")]]
        found = [tuple(n for n in names if n) for names in lists if None not in names]
        for command in self.commands:
            inside = tuple(n for f in command.config_files if (n := self.inside(f)) and n in self.files)
            if inside and len(inside) == len(command.config_files):
                found.append(inside)
        return list(dict.fromkeys(found))

    def inside(self, path: str) -> str | None:
        """A path from a command, relative to the bundle; None where it points elsewhere."""
        clean = path.strip().removeprefix("./")
        if clean.split("/")[0] in ("configs", "models", "docs", "scripts"):
            return clean
        _, found, rest = clean.rpartition(f"{self.name}/")
        return rest if found else None

    @cached_property
    def inference(self) -> dict[str, Any]:
        """The inference config; raises `ConfigError`."""
        return self.read(self.config("inference") or "configs/inference.json")

    @property
    def _data_format(self) -> dict[str, Any]:
        found = self.metadata.get("network_data_format")
        return found if isinstance(found, dict) else {}

    def tensors(self, section: str) -> dict[str, dict[str, Any]]:
        """Tensors that metadata describes under `inputs`, `outputs` or `post_processed_outputs`, by name."""
        found = self._data_format.get(section)
        return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """Inputs of the network by the metadata, by name."""
        return self.tensors("inputs")

    @property
    def image(self) -> dict[str, Any]:
        """Metadata of the input."""
        return next(iter(self.inputs.values()), {})

    @property
    def pred(self) -> dict[str, Any]:
        """Metadata of what the network itself gives."""
        return next(iter(self.tensors("outputs").values()), {})

    def merged(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Several configs as MONAI merges them; raises `ConfigError`."""
        return merge([(name, self.read(name)) for name in names])
