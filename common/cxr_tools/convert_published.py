"""Turn a published PYLON checkpoint into a ready bundle.

cxr convert pylon model.pkl --labels NIH --output my_pylon_bundle
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.findings import Thresholds, save_thresholds
from cxr_common.loading import find_bundle
from cxr_common.localization import Pylon, from_published_pylon, pylon_settings
from cxr_common.networks import save_weights, weights_sha256
from cxr_common.networks.weights import read_state_dict
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.generated import without_notice

#: Of a converted bundle.
VERSION = "0.1.0"
#: Class order of the authors' NIH ChestX-ray14 networks (github.com/cmb-chula/pylon at e2d493c).
NIH_LABELS = [
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
]


def write_bundle(network: Pylon, settings: dict, labels: list[str], template: Path, output: Path) -> None:
    """Write a bundle around a converted network: the template's files with its settings, labels and weights.

    Args:
        network: what :func:`cxr_common.localization.from_published_pylon` gave.
        settings: its arguments.
        labels: class names in the order of its maps.
        template: the bundle whose configs, licence and documents to take.
        output: folder to make; it appears whole or not at all.

    Raises:
        InputError: when the folder exists, or the number of labels is not the network's.
    """
    if len(labels) != settings["num_classes"]:
        raise InputError(
            f"{len(labels)} labels for {settings['num_classes']} classes",
            "--labels",
            "name every class of the checkpoint",
        )
    if output.exists():
        raise InputError("exists already", output, "choose another folder, or delete it")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".convert-") as temporary:
        folder = Path(temporary) / output.name
        skip = shutil.ignore_patterns(
            "bundle.yaml", "model.pt", "thresholds.json", "*.png", "__pycache__", "runs", "eval"
        )
        shutil.copytree(template, folder, ignore=skip)
        (folder / "models").mkdir(exist_ok=True)
        save_weights(network, folder / "models" / "model.pt")
        thresholds = Thresholds.default(labels).with_weights(weights_sha256(folder / "models" / "model.pt"))
        save_thresholds(thresholds, folder / "models" / "thresholds.json")
        for config in (folder / "configs").iterdir():
            config.write_text(without_notice(config.read_text(encoding="utf-8")), encoding="utf-8")
        _edit(folder / "configs" / "inference.json", lambda c: _inference(c, settings, output.name))
        _edit(folder / "configs" / "metadata.json", lambda m: _metadata(m, settings, labels, output.name))
        (folder / "docs" / "README.md").write_text(_card(output.name, settings, labels), encoding="utf-8")
        folder.rename(output)


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["_comment"]  # it is not generated
    change(content)
    path.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")


def _inference(config: dict, settings: dict, name: str) -> None:
    config["network_def"] = {"_target_": "cxr_common.localization.Pylon", **settings}
    del config["backbone"]
    config["findings_writer"] |= {"bundle": name, "version": VERSION}


def _metadata(metadata: dict, settings: dict, labels: list[str], name: str) -> None:
    metadata["name"] = name
    metadata["version"], metadata["changelog"] = VERSION, {VERSION: "converted from a published checkpoint"}
    metadata["description"] = "A published PYLON checkpoint as a bundle. For research, not for clinical use."
    metadata["data_source"] = "that of the published checkpoint"
    io = metadata["network_data_format"]
    io["inputs"]["image"]["num_channels"] = settings["in_channels"]
    io["outputs"]["pred"]["num_channels"] = len(labels)
    channels = {str(i): label for i, label in enumerate(["background", *labels])}
    for outputs in (io["outputs"], io["post_processed_outputs"]):
        outputs["pred"]["channel_def"] = channels
    io["post_processed_outputs"]["pred"]["value_range"] = [0, len(labels)]
    stride = 2 ** (5 - settings["up_blocks"])
    io["outputs"]["pred"]["spatial_shape"] = [f"{64 // stride}*n"] * 2


def _card(name: str, settings: dict, labels: list[str]) -> str:
    rows = "\n".join(f"- {key}: {value}" for key, value in settings.items())
    return f"""# {name}

A published PYLON checkpoint (github.com/cmb-chula/pylon, Apache-2.0), converted to this collection's axes by
`cxr convert`. Nothing was trained or tuned here: thresholds are the defaults (decision at
probability .5, masks above half of a map's maximum). Input: 256 x 256, as published. For research, not for clinical
use.

## Network

{rows}

## Classes

{", ".join(labels)}
"""


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Convert a checkpoint; returns the exit status."""
    parser = ToolParser(prog="cxr convert", description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=["pylon"])
    parser.add_argument("checkpoint", type=Path, help="the authors' model.pkl")
    parser.add_argument("--labels", default="NIH", help="class names, comma separated; NIH: the authors' 14")
    parser.add_argument("--output", type=Path, required=True, help="bundle folder to make")
    args = parser.parse_args(argv)
    state = read_state_dict(args.checkpoint)
    labels = NIH_LABELS if args.labels == "NIH" else [name.strip() for name in args.labels.split(",")]
    template = find_bundle("cxr_pylon_localization")
    write_bundle(from_published_pylon(state), pylon_settings(state), labels, template, args.output)
    print(f"wrote {args.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
