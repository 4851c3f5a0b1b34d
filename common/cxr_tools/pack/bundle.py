"""All files of a packed bundle."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import distributions
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from cxr_common import __version__
from cxr_common.errors import InputError
from cxr_common.json_files import read_json
from cxr_tools.pack.again import carried_code, files_again
from cxr_tools.pack.code import code_files, code_name, needed_folders, renamed
from cxr_tools.pack.configs import initialize_of, packed_json, packed_yaml
from cxr_tools.pack.pages import packed_pages
from cxr_tools.pack.sbom import bill_of_materials, direct_pins, requirements

SCHEMA = "meta_schema_20240725.json"
PREFACE = Path(__file__).with_name("preface.md")
NOTICE = """{title} ({folder} {version})
{copyright}, Apache License 2.0 (LICENSE).

{code}/ is part of the package cxr_common {package_version} of the collection cxr-bundles, under a name of its own.
Terms of data and of weights that the training began with: docs/data_license.txt.
Packages that must be installed, with versions and licences: docs/sbom.cdx.json. None of them is part of this bundle.
"""


def read_facts(bundle: Path) -> dict[str, Any]:
    """A bundle's metadata.json.

    Raises:
        InputError: it cannot be read, or names no version.
    """
    path = bundle / "configs" / "metadata.json"
    facts = read_json(path, "name the folder of a bundle")
    if not isinstance(facts, dict) or "version" not in facts:
        raise InputError("names no version", path, "run make bundles")
    return facts


def packed_files(bundle: Path, docs: Path | None = None, pins: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """What a packed bundle holds: path -> content.

    Its configs, card, licence and weights, and what a bundle of the collection finds outside of itself: the part of
    `cxr_common` that it uses, the pages that its card speaks of, the metadata's schema, the versions to install.

    A bundle that carries its code already, as one that came out of a zip, keeps that.

    Args:
        bundle: its folder.
        docs: folder of the pages that its card speaks of; None leaves them out.
        pins: package -> version for the bill of materials; None takes those that are installed.

    Raises:
        InputError: something is missing, or does not fit together.
    """
    facts = read_facts(bundle)
    for part in ("configs/inference.json", "docs/README.md", "docs/data_license.txt", "LICENSE", "models/model.pt"):
        if not (bundle / part).is_file():
            raise InputError("is not there, and a bundle that is given to others has it", bundle / part, "add it")
    if pins is None:
        pins = {found.name: found.version for found in distributions() if found.name} | direct_pins(facts)
    pins = {canonicalize_name(package): version for package, version in pins.items()}
    name = code_name(bundle.name, facts["version"])
    if (code := carried_code(bundle)) is not None:
        files = files_again(bundle, code, name)
        return files | _lists(facts, bundle.name, files, pins)
    configs = {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted((bundle / "configs").iterdir())
        if path.suffix in (".json", ".yaml", ".conf")
    }
    if not any("cxr_common" in text for text in configs.values()):
        raise InputError("names nothing of cxr_common", bundle / "configs", "zip this bundle's folder as it is")
    folders = needed_folders(text for file, text in configs.items() if file != "metadata.json")
    seeding = initialize_of(configs.get("train.yaml", ""))
    files = dict(code_files(name, folders))
    for file, text in configs.items():
        if file.endswith(".yaml"):
            text = packed_yaml(text, seeding)
        elif file.endswith(".json"):
            text = packed_json(text, bundle / "configs" / file)
        elif file == "logging.conf":
            text = text.partition("\n")[2]
        files[f"configs/{file}"] = (text if file == "metadata.json" else renamed(text, name, folders)).encode()
    known = {"folder": bundle.name, "code": name, "torch": facts["pytorch_version"], "fetch": _fetch(bundle, configs)}
    preface = PREFACE.read_text(encoding="utf-8").format(**known)
    card = (bundle / "docs" / "README.md").read_text(encoding="utf-8")
    for page, text in packed_pages(card, docs, preface).items():
        files[f"docs/{page}"] = renamed(text, name, folders).encode()
    weights = [path for path in sorted((bundle / "models").rglob("*")) if path.suffix in (".pt", ".json")]
    for path in (bundle / "LICENSE", bundle / "docs" / "data_license.txt", *weights):
        files[path.relative_to(bundle).as_posix()] = path.read_bytes()
    files[f"docs/{SCHEMA}"] = (resources("cxr_verify") / "schemas" / SCHEMA).read_bytes()
    files |= _lists(facts, bundle.name, files, pins)
    files["NOTICE"] = NOTICE.format(
        title=facts["name"],
        folder=bundle.name,
        version=facts["version"],
        copyright=facts["copyright"],
        code=name,
        package_version=__version__,
    ).encode()
    return files


def _lists(
    facts: Mapping[str, Any], folder: str, files: Mapping[str, bytes], pins: Mapping[str, str]
) -> dict[str, bytes]:
    """What has to be installed, and of what all is made."""
    bill = bill_of_materials(facts, folder, files, pins)
    return {
        "requirements.txt": requirements(facts, training=False).encode(),
        "requirements-train.txt": requirements(facts).encode(),
        "docs/sbom.cdx.json": bill.encode(),
    }


def _fetch(bundle: Path, configs: dict[str, str]) -> str:
    """Which other bundles some configs look for beside this one, as a paragraph for the card; or nothing."""
    beside: dict[str, list[str]] = {}
    for file, text in configs.items():
        for other in re.findall(r"/\.\./(cxr_\w+)", text):
            beside.setdefault(other, []).append(f"`{file}`")
    found = [f"`{other}` ({', '.join(sorted(set(files)))})" for other, files in sorted(beside.items())]
    return f"\nPut beside it, for the configs in brackets: {'; '.join(found)}.\n" if found else ""


def as_index(entries: dict[str, dict[str, str]]) -> str:
    """Text of a model_info.json."""
    return json.dumps(dict(sorted(entries.items())), indent=4) + "\n"
