"""The tools import each other without circles, so that each can be read and tested by itself."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter

from tests.golden import REPOSITORY


def imports() -> dict[str, set[str]]:
    """Module below tools/ -> the modules there that it imports."""
    paths = {".".join(p.relative_to(REPOSITORY).with_suffix("").parts): p for p in (REPOSITORY / "tools").rglob("*.py")}
    graph = {}
    for module, path in paths.items():
        found = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        graph[module] = (found & paths.keys()) - {module}
    return graph


def package(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_no_module_imports_itself_by_way_of_others():
    graph = imports()
    assert "tools.results.render" in graph["tools.results.__main__"]
    TopologicalSorter(graph).prepare()


def test_no_tool_imports_itself_by_way_of_others():
    graph: dict[str, set[str]] = {}
    for module, found in imports().items():
        graph.setdefault(package(module), set()).update(package(name) for name in found)
    TopologicalSorter({tool: found - {tool} for tool, found in graph.items()}).prepare()
