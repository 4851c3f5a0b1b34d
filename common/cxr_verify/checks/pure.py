"""The strict grammar: a bundle that is configs and weights only, as federated platforms accept it. Only with --pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..bundle import Bundle
from ..config_files import ConfigError, strings
from ..expressions import REFERENCE, aliases, calls, dotted, parse_expression
from ..options import Options
from ..outcome import Problem
from ..registry import check

LIST = Path(__file__).parents[1] / "pure_calls.txt"
_ROOTS = {"monai", "torch", "ignite", "numpy"}
_NODES = (
    ast.Module, ast.Expr, ast.Constant, ast.Name, ast.Load, ast.Store, ast.Attribute, ast.Call, ast.keyword, ast.BinOp,
    ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Subscript, ast.Slice,
    ast.Starred, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.comprehension, ast.Import, ast.ImportFrom, ast.alias,
    ast.Lambda, ast.arguments, ast.arg, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


@cache
def named_calls() -> frozenset[str]:
    """The calls that pure_calls.txt names."""
    lines = LIST.read_text("utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@check("pure.no_code", "no Python, no archive of code", needs=("pure", "bundle"))
def no_code(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for name in bundle.files:
        if name.endswith((".py", ".pyc", ".so", ".pyd", ".dll", ".sh", ".ts", ".whl", ".ipynb")):
            yield Problem(f"{name} is code", "use MONAI's own components, or leave the file out")


@check(
    "pure.targets",
    "every _target_ is of MONAI, torch, ignite or numpy",
    needs=("pure", "bundle"),
    after=("configs.readable",),
)
def targets(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for name, id, text in _strings(bundle):
        if id.split("#")[-1] == "_target_" and (
            text[:1] in "$@%" or ("." in text and text.split(".")[0] not in _ROOTS)
        ):
            yield Problem(f"{name}: {id} is {text}", f"take a component of {', '.join(sorted(_ROOTS))}")


@check(
    "pure.expressions",
    "$ expressions use named calls only",
    needs=("pure", "bundle"),
    after=("configs.readable", "configs.expressions"),
)
def expressions(bundle: Bundle, options: Options) -> Iterator[Problem]:
    allowed = named_calls() | options.allowed
    for name, id, text in _strings(bundle):
        if text.startswith("$") and (why := forbidden(text, allowed)):
            yield Problem(
                f"{name}: {id}: {why} in {text[:120]!r}", "write it as a component, or allow it by --allow-call NAME"
            )


def forbidden(text: str, allowed: frozenset[str]) -> str | None:
    """What an expression has that the grammar does not, None if nothing.

    Args:
        text: a `$` expression that is Python.
        allowed: dotted names of calls; `.name` is a method of anything.
    """
    tree = parse_expression(text)
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            return f"a {type(node).__name__}"
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            return f"the private name {node.attr}"
        if isinstance(node, ast.Name) and node.id.startswith("__"):
            return f"the private name {node.id}"
    for module in aliases(tree).values():
        if module not in allowed and module.split(".")[0] not in _ROOTS | {"glob", "os"}:
            return f"an import of {module}"
    for call in calls(tree, {}):
        reference = isinstance(call.node.func, ast.Name) and call.node.func.id.startswith(REFERENCE)
        if not reference and call.name not in allowed and "." + call.name.rpartition(".")[2] not in allowed:
            return f"the call {call.name or dotted(call.node.func, {}) or '?'}"
    return None


def _strings(bundle: Bundle) -> Iterator[tuple[str, str, str]]:
    for name in bundle.config_names:
        try:
            content = bundle.read(name)
        except ConfigError:
            continue
        for id, text in strings(content):
            yield name, id, text
