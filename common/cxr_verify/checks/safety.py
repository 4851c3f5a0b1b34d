"""What a bundle has no reason to do: unpickle, download, run commands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..bundle import Bundle
from ..child import ChildFailed, ask
from ..config_files import ConfigError, strings, walk
from ..expressions import Call, aliases, calls, parse_expression
from ..options import Options
from ..outcome import Problem, warning
from ..registry import check

_UNPICKLES = re.compile(
    r"(?:_?pickle|c?loudpickle|dill)\.(?:loads?|Unpickler)|joblib\.load|pandas\.read_pickle|shelve\.open|marshal\.loads?"
)
_DOWNLOADS = re.compile(
    r"urllib\.request\.\w+|requests\.(?:get|post|request|Session)|http\.client\.\w+|ftplib\.\w+|socket\.(?:socket|create_connection)|"
    r"torch\.hub\.\w+|gdown\.\w+|wget\.\w+|huggingface_hub\.\w+|monai\.apps\.(?:utils\.)?download\w*|monai\.bundle\.(?:download|load)|"
    r".*\.from_pretrained"
)
_COMMANDS = re.compile(
    r"os\.(?:system|popen|exec\w+|spawn\w+)|subprocess\.\w+|eval|exec|compile|__import__|pty\.\w+|ctypes\.\w+"
)


def _places(bundle: Bundle) -> Iterator[tuple[str, Call, bool]]:
    """Every call with where it is, and whether it is made without being asked for: at import or by a config."""
    for path in bundle.modules.values():
        try:
            tree = ast.parse(bundle.text(path))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for call in calls(tree, aliases(tree)):
            yield f"{path}:{call.node.lineno}", call, call.top
    for name in bundle.config_names:
        try:
            content = bundle.read(name)
        except ConfigError:
            continue
        trees = {}
        for id, text in strings(content):
            if id.endswith("_target_") and not text.startswith(("$", "@")):
                target = ast.Call(ast.Name(text, ast.Load()), [], [])
                yield f"{name}: {id}", Call(text, target), True
            elif text.startswith("$"):
                try:
                    trees[id] = parse_expression(text)
                except SyntaxError:
                    continue
        names = {k: v for id, tree in trees.items() if id.startswith("imports#") for k, v in aliases(tree).items()}
        for id, tree in trees.items():
            for call in calls(tree, names):
                yield f"{name}: {id}", call, True


@check("safety.unpickling", "nothing is unpickled", needs=("bundle",))
def unpickling(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for where, call, _ in _places(bundle):
        if _UNPICKLES.fullmatch(call.name):
            yield Problem(f"{where} calls {call.name}: a pickle can run any code", "store plain tensors, JSON or npz")
        elif call.name in ("torch.load", "numpy.load", "np.load"):
            name, wanted = ("weights_only", True) if call.name == "torch.load" else ("allow_pickle", False)
            value = call.keyword(name)
            if isinstance(value, ast.Constant) and value.value is (not wanted):
                yield Problem(
                    f"{where} calls {call.name} with {name}={not wanted}", f"store plain arrays and set {name}={wanted}"
                )


@check("safety.downloads", "nothing is downloaded unasked", needs=("bundle",))
def downloads(bundle: Bundle, options: Options) -> Iterator[Problem]:
    mend = "ship the file, or name it in large_files.yml with a hash"
    for where, call, unasked in _places(bundle):
        if _DOWNLOADS.fullmatch(call.name):
            problem = Problem if unasked else warning
            yield problem(f"{where} calls {call.name}", mend)
    for name in bundle.config_names:
        try:
            items = list(walk(bundle.read(name)))
        except ConfigError:
            continue
        for id, item in items:
            if isinstance(item, dict) and "_target_" in item and item.get("pretrained") is True:
                text = f"{name}: {id} has pretrained: true, which downloads weights whenever it is built"
                # Training may want them; inference overwrites them by the bundle's own.
                is_inference = name == bundle.config("inference")
                yield (
                    Problem(text, "set it to false")
                    if is_inference
                    else warning(text, "say so in the card, or set it to false")
                )


@check("safety.commands", "no other program is started and no text is run as code", needs=("bundle",))
def commands(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for where, call, unasked in _places(bundle):
        if _COMMANDS.fullmatch(call.name):
            problem = Problem if unasked else warning
            yield problem(
                f"{where} calls {call.name}", "do it in Python, or leave it to the person who runs the bundle"
            )


@check(
    "safety.imports",
    "importing the bundle's modules works and does nothing else",
    needs=("modules", "execution"),
    after=("safety.unpickling", "safety.downloads", "safety.commands"),
)
def imports(bundle: Bundle, options: Options) -> Iterator[Problem]:
    foreign = re.compile(r"(^|\.)(tests?|unit_tests?|docs|setup|conftest|__main__|test_\w+)(\.|$)")
    modules = [m for m in bundle.modules if not foreign.search(m) and all(p.isidentifier() for p in m.split("."))]
    try:
        found = ask(bundle, options, "imports", modules=modules)
    except ChildFailed as error:
        yield Problem(f"importing the modules {error}", "import them one by one to see which")
        return
    for module, failure in found["failed"].items():
        missing = failure["missing"].split(".")[0]
        if missing and missing not in bundle.packages:
            yield warning(
                f"{module} needs {missing}, which is not installed here", f"install {missing} and verify again"
            )
        else:
            yield Problem(f"{module} cannot be imported: {failure['why']}", "mend the module")
    told = {"network": "reaches for the network", "command": "starts a program", "pickle": "unpickles"}
    for kind, what in dict.fromkeys((k, w) for k, w in found["events"]):
        yield Problem(
            f"importing the bundle's modules {told[kind]} ({what})", "do it in a function, when it is asked for"
        )
