"""What `make bundles` writes: configs and card of a bundle, from its bundle.yaml and the templates of its kind."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml

from cxr_common.errors import InputError
from cxr_common.files import write_text
from cxr_common.labels import LABELS
from cxr_tools.generated import NOTICE
from cxr_tools.yaml_files import read_yaml
from tools.repository import REPOSITORY
from tools.results.render import render_page

TEMPLATES = Path(__file__).parent / "templates"
CONSTRAINTS = REPOSITORY / "constraints.txt"
RESULTS = REPOSITORY / "docs" / "results"
#: Templates that are data, and the JSON files that are made of them.
DATA = {
    "inference.yaml": "inference.json",
    "inference_lungs.yaml": "inference_lungs.json",
    "inference_trt.yaml": "inference_trt.json",
    "metadata.yaml": "metadata.json",
}
CARD = "README.md"


def generate(bundle: Path) -> dict[Path, str]:
    """Make the configs of a bundle and, where its kind has a template for it, the card with its figures.

    A template of the bundle's kind can extend one that all kinds share, block by block. Names that start with an
    underscore are parts of others.

    Args:
        bundle: folder with a bundle.yaml, which says what makes this bundle itself.

    Returns:
        File -> content, of every file that bundle.yaml decides.

    Raises:
        InputError: bundle.yaml is missing, cannot be read, names an unknown kind, or lacks what a template needs.
    """
    folder = TEMPLATES / read_page(bundle / "bundle.yaml")["kind"]
    logging = "logging.conf"
    out = {bundle / "configs" / logging: f"# {NOTICE}\n{(TEMPLATES / logging).read_text(encoding='utf-8')}"}
    for template in sorted(folder.iterdir()):
        if template.name.startswith("_"):
            continue
        text = render_template(bundle, template.name)
        if template.name == CARD:
            out[bundle / "docs" / CARD] = render_page(f"<!-- {NOTICE} -->\n{text}", RESULTS)
        else:
            target = bundle / "configs" / DATA.get(template.name, template.name)
            out[target] = as_json(text) if template.name in DATA else f"# {NOTICE}\n{text}"
    return out


def render_template(bundle: Path, name: str) -> str:
    """Text of one template of the bundle's kind, comments and all. Errors as in :func:`generate`."""
    page = bundle / "bundle.yaml"
    facts, pins = read_page(page), read_pins(CONSTRAINTS)
    try:
        return (
            _environment()
            .get_template(f"{facts['kind']}/{name}")
            .render(
                facts, folder=bundle.name, labels=list(LABELS), numbered=numbered, pin=lambda name: pins[name.lower()]
            )
        )
    except (jinja2.UndefinedError, KeyError) as error:
        raise InputError(f"lacks what {name} needs: {error}", page, "see tools/bundles/templates") from error


def write(bundle: Path) -> list[Path]:
    """Write the configs and the card of a bundle; returns those that changed. Errors as in :func:`generate`."""
    changed = [
        (path, text)
        for path, text in generate(bundle).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in changed:
        write_text(text, path)
    return [path for path, _ in changed]


def read_page(page: Path) -> dict[str, Any]:
    """Read a bundle.yaml.

    Raises:
        InputError: it is missing, is no YAML mapping, or its kind has no templates.
    """
    facts = read_yaml(page, "every bundle has one; take a sibling's as an example")
    kinds = sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir())
    if not isinstance(facts, dict) or facts.get("kind") not in kinds:
        raise InputError("names no kind of bundle", page, f"write kind: {' or '.join(kinds)}")
    return facts


def read_pins(constraints: Path) -> dict[str, str]:
    """Package (lower case) -> version, of the lines ``name==version`` of a constraints file."""
    return {name.lower(): version for name, version in re.findall(r"^([\w.-]+)==(\S+)$", constraints.read_text(), re.M)}


def numbered(names: Sequence[str]) -> dict[str, str]:
    """Map "0", "1", ... to names, as metadata.json lists channels."""
    return {str(number): name for number, name in enumerate(names)}


def as_json(text: str) -> str:
    """YAML text as JSON, laid out as MONAI's model zoo has it. The notice is its first entry: JSON has no comments."""
    data: Mapping[str, Any] = yaml.safe_load(text)
    return json.dumps({"_comment": NOTICE, **data}, indent=4, ensure_ascii=False) + "\n"


def _environment() -> jinja2.Environment:
    # MONAI's configs are full of braces, percent signs and dollars; << and <% occur in none.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES]),
        undefined=jinja2.StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {}  # keys in the order of bundle.yaml
    return environment
