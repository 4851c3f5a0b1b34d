"""What is missing is said when the server starts, not when the first image comes."""

from __future__ import annotations

import json
import re
from pathlib import Path


def check_bundles(folder: Path, names: str) -> dict[str, Path]:
    """The bundles to serve, name -> folder.

    Args:
        folder: where they lie.
        names: with commas between; empty takes all that are there.

    Raises:
        SystemExit: a bundle, one of its files, or a bundle that it needs beside it is not there; with what to do.
    """
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    chosen = chosen or sorted(path.parents[1].name for path in folder.glob("*/configs/metadata.json"))
    if not chosen:
        raise SystemExit(f"error: {folder}: there is no bundle; unzip one there")
    for name in chosen:
        bundle = folder / name
        for file in ("configs/inference.json", "configs/metadata.json", "models/model.pt", "models/thresholds.json"):
            if not (bundle / file).is_file():
                raise SystemExit(f"error: {bundle}: there is no {file}; unzip the bundle {name} into {folder}")
        config = json.loads((bundle / "configs" / "inference.json").read_text(encoding="utf-8"))
        for other in re.findall(r"/\.\./(\w+)'", str(config.get("localizer", ""))):
            if not (folder / other / "configs" / "inference.json").is_file():
                raise SystemExit(
                    f"error: {bundle}: it takes heatmaps from {other}; unzip that bundle into {folder} too"
                )
    return {name: folder / name for name in chosen}
