"""The package is rooms by task over a common ground; this reads every import and holds it to that.

A module imports from its own layer's package or from layers below. Slices do not know each other.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import cxr_common

PACKAGE = Path(cxr_common.__file__).parent
#: From the ground up; packages of one layer do not import each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("conventions",),  # the modules directly in the package
    ("data", "networks", "metrics", "exports"),
    ("dicom_results",),
    ("findings",),
    ("start", "transforms"),
    ("training", "evaluation", "cli", "loading"),
    ("localization", "refinement", "segmentation", "detection"),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
#: Module names that several slices have, for the same concept.
SHARED_NAMES = {"inferer", "loss", "network", "published", "scoring", "transforms", "writer"}


def room_of(parts: tuple[str, ...]) -> str:
    """The room of a module, given its path within the package without suffix."""
    return parts[0] if parts[0] in LEVEL else "conventions"


def imports(path: Path) -> set[tuple[str, ...]]:
    """What a module imports from the package, wherever in its text, as paths within the package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {tuple(name.split(".")[1:]) for name in names if name.startswith("cxr_common.")}
    return found


MODULES = {path.relative_to(PACKAGE).with_suffix("").parts: path for path in sorted(PACKAGE.rglob("*.py"))}
EDGES = sorted(
    (module, target) for module, path in MODULES.items() if module != ("__init__",) for target in imports(path)
)


def breaks(module: tuple[str, ...], target: tuple[str, ...]) -> bool:
    """Whether an import leads up, or sideways into another room."""
    own, other = room_of(module), room_of(target)
    return own != other and LEVEL[other] >= LEVEL[own]


def test_no_import_runs_up_or_into_a_neighbour():
    wrong = [f"{'/'.join(module)}.py imports {'.'.join(target)}" for module, target in EDGES if breaks(module, target)]
    assert not wrong, "\n".join(wrong)


def test_every_package_is_a_room():
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages == set(LEVEL) - {"conventions", "cli"}


@pytest.mark.parametrize(
    ("module", "target"),
    [
        (("data", "reader"), ("findings", "thresholds")),
        (("detection", "loss"), ("localization", "pylon")),
        (("networks", "weights"), ("data", "reader")),
        (("errors",), ("cli",)),
    ],
)
def test_the_rule_can_fail(module, target):
    assert breaks(module, target)


def test_one_name_has_one_meaning():
    """No two modules share a name, but for a concept that sibling slices have in common."""
    places = defaultdict(list)
    for module in MODULES:
        if module[-1] != "__init__":
            places[module[-1]].append(module)
    for name, modules in places.items():
        if len(modules) > 1:
            assert name in SHARED_NAMES, f"{name}: {modules}"
            assert all(room_of(module) in LAYERS[-1] for module in modules), f"{name}: {modules}"
