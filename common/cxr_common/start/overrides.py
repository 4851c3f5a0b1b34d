"""Overrides of a bundle's configuration, checked before it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser
from monai.bundle.utils import ID_SEP_KEY as SEP

from cxr_common.errors import InputError
from cxr_common.start.nearest import nearest
from cxr_common.start.rules import Rule
from cxr_common.start.settings import SETTINGS


def check_overrides(configs: Sequence[Path], overrides: Mapping[str, Any], where: object) -> None:
    """Refuse overrides of a bundle's configuration that change nothing in it, or that have an impossible value.

    Args:
        configs: the bundle's config files.
        overrides: id -> value.
        where: named in errors, such as the settings file.

    Raises:
        InputError: names the first such override, and the nearest entry that there is.
    """
    parser = ConfigParser()
    parser.read_config([str(path) for path in configs] if overrides else {})
    for id, value in overrides.items():
        parent = parser.get(SEP.join(id.replace("#", SEP).split(SEP)[:-1]), {})
        argument = SEP in id.replace("#", SEP) and isinstance(parent, dict) and "_target_" in parent
        if id not in parser and not argument:
            guess = nearest(id, parser[""])
            action = f"did you mean {guess}?" if guess else f"entries are those of {', '.join(p.name for p in configs)}"
            raise InputError("there is no such entry", f"{where}: {id}", action)
        rule = SETTINGS.get(id)
        if isinstance(rule, Rule) and not str(value).startswith(("$", "@")) and not rule.holds(value):
            raise InputError(f"is {value!r}", f"{where}: {id}", f"give {rule.wanted}")
