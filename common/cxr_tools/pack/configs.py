"""The configs of a packed bundle: seeded when the run begins, for nothing of the bundle can be imported earlier."""

from __future__ import annotations

import json
import re

from cxr_common.errors import InputError
from cxr_tools.generated import NOTICE

_INITIALIZE = re.compile(r"^initialize:\n((?:  - .*\n)+)", re.MULTILINE)
_RUN = re.compile(r"^run:\n", re.MULTILINE)


def packed_yaml(text: str, seeding: str) -> str:
    """A YAML config whose ``initialize`` is the beginning of its ``run``.

    MONAI imports what a config names when ``initialize`` is resolved, and puts the bundle's folder on Python's path
    only for ``run``: from any other folder the bundle's own code could not be found.

    Args:
        text: of the config, comments included.
        seeding: items of ``initialize`` of the config that this one is laid over, as lines of YAML.
    """
    own = initialize_of(text) or seeding
    text = _INITIALIZE.sub("", text.removeprefix(f"# {NOTICE}\n"))
    return _RUN.sub(lambda match: match[0] + own, text)


def initialize_of(text: str) -> str:
    """The items of ``initialize``, as lines of YAML."""
    found = _INITIALIZE.search(text)
    return found[1] if found else ""


def packed_json(text: str, where: object) -> str:
    """A JSON config as `packed_yaml` makes YAML; it stands alone."""
    config = json.loads(text)
    config.pop("_comment", None)
    if "run" in config:
        config["run"] = [*config.pop("initialize", []), *config["run"]]
    elif "initialize" in config:
        raise InputError("has initialize but no run", where, "give it a run")
    return json.dumps(config, indent=4, ensure_ascii=False) + "\n"
