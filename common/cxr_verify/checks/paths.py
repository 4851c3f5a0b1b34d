"""Paths in configs: none of somebody's machine, none that holds in one working directory only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..bundle import Bundle
from ..config_files import strings
from ..expressions import parse_expression
from ..options import Options
from ..outcome import Problem, warning
from ..registry import check

_PERSONAL = re.compile(r"(?:/(?:home|Users|root|mnt|media|scratch|tmp)/|~/|[A-Za-z]:[\\/])")
# /workspace/data is where the zoo's own configs keep data.
_ABSOLUTE = re.compile(r"/(?!workspace/data)[\w.-]+/")


@check("paths.machine", "no path of somebody's machine", needs=("bundle",), after=("configs.readable",))
def machine(bundle: Bundle, options: Options) -> Iterator[Problem]:
    mend = "write it relative to @bundle_root, or leave it to an option such as --dataset_dir"
    for name, content in bundle.configs.items():
        for id, text in strings(content):
            for path in _beginnings(text):
                if _PERSONAL.match(path):
                    yield Problem(f"{name}: {id} names {path}", mend)
                elif _ABSOLUTE.match(path):
                    yield warning(f"{name}: {id} names {path}, which other machines lack", mend)


@check(
    "paths.relative", "files of the bundle are named by @bundle_root", needs=("bundle",), after=("configs.readable",)
)
def relative(bundle: Bundle, options: Options) -> Iterator[Problem]:
    folders = {name.split("/")[0] for name in bundle.files if "/" in name} | {"configs", "models"}
    pattern = re.compile(rf"(?:\./)?(?:{'|'.join(map(re.escape, sorted(folders)))})/[\w./-]+")
    for name, content in bundle.configs.items():
        for id, text in strings(content):
            for path in _beginnings(text):
                # os.path.join(@bundle_root, "models/model.pt") is as good as a sum.
                if "@bundle_root" not in text and pattern.fullmatch(path):
                    yield Problem(
                        f"{name}: {id} names {path}, which is found from the bundle's own folder only",
                        f"write $@bundle_root + '/{path.removeprefix('./')}'",
                    )


def _beginnings(text: str) -> list[str]:
    """A plain string, or the strings in a `$` expression that nothing is put in front of."""
    if not text.startswith("$"):
        return [text]
    try:
        tree = parse_expression(text)
    except SyntaxError:
        return []
    joined = {id(node.right) for node in ast.walk(tree) if isinstance(node, ast.BinOp)}
    joined |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values[1:]}
    found = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in joined)
    return [n.value for n in found if isinstance(n.value, str)]
