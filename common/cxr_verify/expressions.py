"""Reads Python, in files and in `$` expressions, and finds what it would call. Nothing is evaluated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .config_files import references

REFERENCE = "reference_"


@dataclass(frozen=True)
class Call:
    """One call.

    Args:
        name: its dotted name with aliases resolved, such as `torch.load`; `.load` is a method of a value.
        node: where it is.
        top: whether importing the file makes it.
    """

    name: str
    node: ast.Call
    top: bool = True

    def keyword(self, name: str) -> ast.expr | None:
        """The value of a keyword argument; None where it is not given."""
        return next((k.value for k in self.node.keywords if k.arg == name), None)


def parse_expression(text: str) -> ast.Module:
    """The Python of a `$` expression; a reference `@a#b` becomes the name `reference_a_b`. Raises `SyntaxError`."""
    code = text.removeprefix("$").strip()
    for reference in sorted(references(text), key=len, reverse=True):
        code = code.replace(f"@{reference}", REFERENCE + re.sub(r"\W+", "_", reference))
    try:
        return ast.parse(code)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from error


def aliases(tree: ast.AST) -> dict[str, str]:
    """Names that import statements bind: `{'t': 'torch', 'load': 'torch.load'}`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                found[name.asname or name.name.split(".")[0]] = name.name if name.asname else name.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({n.asname or n.name: f"{node.module}.{n.name}" for n in node.names})
    return found


def imported(tree: ast.AST) -> set[str]:
    """Modules that import statements name, their first parts only."""
    return {name.split(".")[0] for name in aliases(tree).values()}


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """The dotted name of an expression, '.method' of a value that has no name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner and not owner.startswith((REFERENCE, ".")) else f".{node.attr}"
    return ""


def calls(tree: ast.AST, names: dict[str, str]) -> Iterator[Call]:
    """All calls. Those in functions are not `top`, those in bodies of classes and in decorators are."""

    def visit(node: ast.AST, top: bool) -> Iterator[Call]:
        if isinstance(node, ast.Call):
            yield Call(dotted(node.func, names), node, top)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            body = node.body if isinstance(node.body, list) else [node.body]
            outside = [c for c in ast.iter_child_nodes(node) if c not in body]
            for child in outside:
                yield from visit(child, top)
            for child in body:
                yield from visit(child, False)
        elif isinstance(node, ast.If) and "__main__" in ast.unparse(node.test):
            for child in node.body:
                yield from visit(child, False)
        else:
            for child in ast.iter_child_nodes(node):
                yield from visit(child, top)

    return visit(tree, True)
