"""What a pipeline run is made of, as read from a settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.yaml_files import read_yaml

FOLDER = Path(__file__).resolve().parent
LOCALIZERS = {
    "pylon": "cxr_pylon_localization",
    "multiscale": "cxr_multiscale_localization",
    "gradcam": "cxr_gradcam_classification",
}
PARTS = ("localizer", "relation_network", "segmenter")


def load_settings(name: str | Path) -> dict[str, Any]:
    """Read settings: the name of a file beside this module without its suffix, or a path.

    Returns:
        For each of :data:`PARTS` a mapping with ``configs`` and ``overrides``, and whether it is trained (``train``).

    Raises:
        InputError: no such file, not YAML, or an entry that is not known or of another kind.
    """
    path = Path(name) if Path(name).suffix else FOLDER / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
        raise InputError("no such settings", path, f"use {known} or the path of a file")
    settings = read_yaml(path) or {}
    if not isinstance(settings, dict):
        raise InputError("is not a mapping of keys", path, f"give title, {', '.join(PARTS)}")
    unknown = sorted(set(settings) - {*PARTS, "title"})
    if unknown:
        raise InputError(f"unknown entries {', '.join(unknown)}", path, f"use title, {', '.join(PARTS)}")
    for part in PARTS:
        given, default = settings.get(part) or {}, {"train": False, "configs": [], "overrides": {}}
        if not isinstance(given, dict) or set(given) - set(default):
            raise InputError(f"{given!r} is not a part of a pipeline", f"{path}: {part}", f"give {', '.join(default)}")
        settings[part] = default | given
        for key, kind in (("train", bool), ("configs", list), ("overrides", dict)):
            if not isinstance(settings[part][key], kind):
                raise InputError(f"is {settings[part][key]!r}", f"{path}: {part}: {key}", f"give a {kind.__name__}")
    return settings
