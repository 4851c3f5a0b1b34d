"""What a bundle needs installed: two lists for pip, and a software bill of materials in CycloneDX."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, metadata, requires
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cxr_common.errors import InputError

_BASE = {"monai": "monai_version", "torch": "pytorch_version", "numpy": "numpy_version"}


def direct_pins(facts: Mapping[str, Any], training: bool = True) -> dict[str, str]:
    """Package -> version of what metadata.json names, torch first: any later request for it can pull another build.

    Args:
        facts: metadata.json.
        training: what training needs too; else what inference needs.
    """
    listed = {**facts["required_packages_version"], **(facts.get("training_packages_version", {}) if training else {})}
    base = {name: str(facts[key]) for name, key in _BASE.items()}
    pins = base | {str(name): str(version) for name, version in listed.items()}
    return {"torch": pins.pop("torch")} | dict(sorted(pins.items()))


def requirements(facts: Mapping[str, Any], training: bool = True) -> str:
    """A list for pip of the versions that metadata.json names; arguments as :func:`direct_pins`."""
    return "".join(f"{name}=={version}\n" for name, version in direct_pins(facts, training).items())


def dependencies(names: set[str], pins: Mapping[str, str]) -> dict[str, set[str]]:
    """Package -> packages that it requires, for these packages and all that they require.

    Read from what is installed here, on this system; names as package indices normalise them.

    Raises:
        InputError: one is not installed, or has no pinned version.
    """
    found: dict[str, set[str]] = {}
    waiting: set[str] = {canonicalize_name(name) for name in names}
    while waiting:
        name = waiting.pop()
        if name not in pins:
            raise InputError(f"has no version of {name}, which a bundle needs", "constraints.txt", "add a line for it")
        try:
            wanted = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            raise InputError("is not installed", name, "make setup") from None
        found[name] = {
            canonicalize_name(r.name) for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})
        }
        waiting |= found[name] - set(found)
    return found


def bill_of_materials(
    facts: Mapping[str, Any], folder: str, files: Mapping[str, bytes], pins: Mapping[str, str]
) -> str:
    """A bundle's bill of materials: CycloneDX 1.6 as JSON, without a moment, so that the same content gives the same.

    Args:
        facts: its metadata.json.
        folder: its name.
        files: path -> content; the weights are components with their hashes.
        pins: normalised package name -> version of all packages.

    Raises:
        InputError: as `dependencies`.
    """
    bundle = Component(
        name=folder,
        version=str(facts["version"]),
        type=ComponentType.APPLICATION,
        bom_ref=folder,
        description=str(facts["description"]),
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    needed = dependencies(set(direct_pins(facts)), pins)
    packages = {name: _package(name, pins[name]) for name in needed}
    weights = [
        Component(
            name=path,
            type=ComponentType.MACHINE_LEARNING_MODEL,
            bom_ref=path,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(content).hexdigest())],
        )
        for path, content in files.items()
        if path.endswith(".pt")
    ]
    bom = Bom(components=[*packages.values(), *weights])
    bom.metadata.component = bundle
    direct = [packages[canonicalize_name(name)] for name in direct_pins(facts)]
    bom.register_dependency(bundle, [*direct, *weights])
    for name, wanted in needed.items():
        bom.register_dependency(packages[name], [packages[other] for other in wanted])
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{folder}_v{facts['version']}")
    text = json.loads(JsonV1Dot6(bom).output_as_string())
    del text["metadata"]["timestamp"]
    return json.dumps(text, indent=2, sort_keys=True) + "\n"


def _package(name: str, version: str) -> Component:
    known = metadata(name)
    licence = next(iter(known.get_all("License-Expression") or []), None)
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=name,
        purl=PackageURL("pypi", None, name, version),
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
    )
