"""Tools import each other without circles, and what users install imports nothing of what maintainers alone have."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter

import pytest

from tests.golden import REPOSITORY

#: Package -> the packages of this repository that it may import besides itself.
MAY_IMPORT = {
    "cxr_common": set(),
    "cxr_verify": set(),
    "cxr_tools": {"cxr_common", "cxr_verify"},
    "tools": {"cxr_common", "cxr_tools", "cxr_verify"},
}


def modules() -> dict[str, ast.Module]:
    """Every module of the four packages, by name."""
    found = {}
    for root, packages in ((REPOSITORY / "common", ("cxr_*",)), (REPOSITORY, ("tools",))):
        for path in (path for pattern in packages for folder in root.glob(pattern) for path in folder.rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(module: ast.Module) -> set[str]:
    """The names that a module imports, wherever in its text; a name may be that of a module's content."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found


def may_import(package: str, name: str) -> bool:
    other = name.split(".")[0]
    return other not in MAY_IMPORT or other == package or other in MAY_IMPORT[package]


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    return {name: imports(module) for name, module in modules().items()}


def test_no_package_imports_what_lies_above_it(graph):
    assert {name.split(".")[0] for name in graph} == MAY_IMPORT.keys()
    wrong = [f"{m} imports {n}" for m, names in graph.items() for n in names if not may_import(m.split(".")[0], n)]
    assert not wrong, "\n".join(wrong)


def test_the_rule_can_fail():
    assert not may_import("cxr_tools", "tools.repository")
    assert not may_import("cxr_common", "cxr_tools.workflow")
    assert not may_import("cxr_verify", "cxr_common.errors")


def tools(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The graph of cxr_tools and tools alone."""
    names = {name for name in graph if name.split(".")[0] in {"cxr_tools", "tools"}}
    return {name: (graph[name] & names) - {name} for name in names}


def test_no_module_imports_itself_by_way_of_others(graph):
    found = tools(graph)
    assert "tools.results.render" in found["tools.results.__main__"]
    TopologicalSorter(found).prepare()


def test_no_tool_imports_itself_by_way_of_others(graph):
    def tool(module: str) -> str:
        return ".".join(module.split(".")[:2])

    between: dict[str, set[str]] = {}
    for module, found in tools(graph).items():
        between.setdefault(tool(module), set()).update(tool(name) for name in found)
    TopologicalSorter({name: found - {name} for name, found in between.items()}).prepare()
