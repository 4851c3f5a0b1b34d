"""MONAI's own list of ids against a config.

`ConfigWorkflow.check_properties` builds everything first, data sets included; here are the same rules for ids alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser
from monai.bundle.properties import InferProperties, TrainProperties


def probe(root: Path, config: str, workflow: str) -> dict[str, list[str]]:
    """Ids that MONAI needs and that are `missing`, and optional ones in whose place something else is referred to."""
    parser = ConfigParser()
    parser.read_config(str(root / config))
    missing, misnamed = [], []
    properties: dict[Any, Any] = dict(InferProperties if workflow == "infer" else TrainProperties)
    for name, property in properties.items():
        id, place = str(property["id"]), property.get("refer_id")
        if property["required"]:
            if id not in parser:
                missing.append(_plain(id))
        elif place is not None:
            used = _validation(parser, place) if name in ("evaluator", "val_interval") else _at(parser, place)
            if isinstance(used, str) and not used.startswith("$") and _plain(used) != "@" + _plain(id):
                misnamed.append(f"{_plain(id)} ({_plain(str(place))} is {used})")
    return {"missing": missing, "misnamed": misnamed}


def _at(parser: ConfigParser, id: str) -> Any:
    return parser.get(id)


def _validation(parser: ConfigParser, place: str) -> Any:
    for handler in _at(parser, "train::handlers") or ():
        if isinstance(handler, dict) and handler.get("_target_") == "ValidationHandler":
            return handler.get(place)
    return None


def _plain(id: str) -> str:
    return id.replace("::", "#")
