"""The page of all options: what the comments of the bundles' configs say, as tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxr_tools.generated import NOTICE, without_notice
from tools.bundles.generate import read_page, render_template
from tools.repository import BUNDLES, REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "configuration.md"
#: Kind of bundle -> what its part of the page is called; in this order.
KINDS = {"localizer": "Localisers", "refinement": "Relation network", "segmenter": "Segmenter", "detector": "Detector"}
_SECTION = re.compile(r"^# --- (.+?) -+$")
_OPTION = re.compile(r"^(?P<name>[a-z_]\w*):\s+(?P<value>\S.*?)(?:\s+# (?P<about>.+))?$")
#: Values that are made of other options, or stand on the lines below.
_DERIVED = ("#", "'$@", "{", "['@", "[]", "$@network", "$@thresholds.w")
_MORE = re.compile(r"^\s+# (.+)$")
INTRODUCTION = f"""<!-- {NOTICE} -->
# Options of the bundles

Every key of a config file is an option: `--max_epochs 2` replaces the value of `max_epochs`, `--network_def#backbone
resnet18` one inside another. Values in files are YAML. On the command line write `True`, `False` and `None` for `true`,
`false` and `null`. An option that no config file has is refused with the nearest one that they have. `@name` stands for
another option's value, `$` starts a Python expression, as [MONAI's
bundles](https://docs.monai.io/en/stable/config_syntax.html) have it. The tables list the top level; the files below
`configs/` show the rest. Where bundles of a kind differ, the value and the remark are those of the bundle that the
heading names.
"""


@dataclass(frozen=True)
class Option:
    """One top-level key of a config file: its name, the value as written, and what its comment says."""

    name: str
    value: str
    about: str


def read_options(text: str) -> dict[str, list[Option]]:
    """Read the top-level options whose value stands on one line, except for parts that are made of other options.

    Args:
        text: YAML with comments; ``# --- name ---`` starts a section; a comment line goes on with the one above.

    Returns:
        Section -> options, in the order of the text; options before the first section are in "".
    """
    out: dict[str, list[Option]] = {}
    section, last = "", False
    for line in text.splitlines():
        if match := _SECTION.match(line):
            section, last = match[1], False
        elif (match := _OPTION.match(line)) and not match["value"].startswith(_DERIVED):
            out.setdefault(section, []).append(Option(match["name"], match["value"], match["about"] or ""))
            last = True
        elif (match := _MORE.match(line)) and last:
            option = out[section][-1]
            out[section][-1] = Option(option.name, option.value, f"{option.about} {match[1]}".strip())
        else:
            last = False
    return out


def page(bundles: Path = BUNDLES) -> str:
    """The page: for each kind of bundle the options of training, of its overlays and of inference."""
    parts = [INTRODUCTION]
    for kind, title in KINDS.items():
        bundle = next(p.parent for p in sorted(bundles.glob("*/bundle.yaml"), reverse=True) if _kind(p) == kind)
        train = read_options(without_notice((bundle / "configs" / "train.yaml").read_text(encoding="utf-8")))
        parts.append(f"\n## {title}: training (`{bundle.name}/configs/train.yaml`)\n")
        parts += [f"\n**{section.capitalize()}**\n\n{_table(options)}" for section, options in train.items()]
        known = {option.name: option.about for options in train.values() for option in options}
        for overlay in sorted((bundle / "configs").glob("*.yaml")):
            options = read_options(without_notice(overlay.read_text(encoding="utf-8"))).get("", [])
            if overlay.name != "train.yaml" and options:
                parts.append(f"\n### Overlay `{overlay.name}`\n\n{_table(options, known)}")
        inference = read_options(render_template(bundle, "inference.yaml"))[""]
        parts.append(f"\n### Inference (`inference.json`)\n\n{_table(inference, known)}")
    return "".join(parts)


def _kind(page: Path) -> str:
    return str(read_page(page)["kind"])


def _table(options: Sequence[Option], known: Mapping[str, str] | None = None) -> str:
    cells = ((f"`{o.name}`", f"`{o.value}`", o.about or (known or {}).get(o.name, "")) for o in options)
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return "\n".join(["| option | value | |", "|---|---|---|", *rows]) + "\n"
