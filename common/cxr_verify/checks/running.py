"""Whether it runs from a working directory that is not its own."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle
from ..child import ChildFailed, ask
from ..config_files import absolute, lookup, references, strings
from ..expressions import imported, parse_expression
from ..options import Options
from ..outcome import Problem
from ..registry import check


@check(
    "running.foreign_directory",
    "before `run` nothing needs the bundle's own modules",
    needs=("inference",),
    after=("configs.references",),
)
def foreign_directory(bundle: Bundle, options: Options) -> Iterator[Problem]:
    # MONAI puts the bundle's folder on Python's path when `run` begins. `initialize` comes before it; the first of them
    # to be resolved makes the `imports`.
    config = bundle.inference
    for start in ("imports", "initialize") if "initialize" in config else ():
        for id, module in _custom(bundle, config, start):
            yield Problem(
                f"{start} needs {module} ({id}): from another folder there is no module {module.split('.')[0]!r} yet",
                "load weights in `run` or by a handler, and leave `initialize` out where `imports` needs own modules",
            )
            break


def _custom(bundle: Bundle, config: dict[str, object], start: str) -> Iterator[tuple[str, str]]:
    """Ids that building `start` comes to and that name a module of the bundle."""
    waiting, seen = [start], set()
    while waiting:
        id = waiting.pop()
        if id in seen:
            continue
        seen.add(id)
        try:
            item = lookup(config, id)
        except KeyError:
            continue
        for inner, text in strings(item):
            full = f"{id}#{inner}" if inner else id
            waiting += [absolute(r, full) for r in references(text)]
            if full.endswith("_target_") and text.split(".")[0] in bundle.packages:
                yield full, text
            elif text.startswith("$"):
                try:
                    tree = parse_expression(text)
                except SyntaxError:
                    continue
                for module in sorted(imported(tree) & bundle.packages):
                    yield full, module


@check(
    "running.builds",
    "preprocessing, inferer and postprocessing can be built from another folder",
    needs=("network", "execution"),
    after=("configs.references", "paths.relative", "network.builds", "safety.imports"),
)
def builds(bundle: Bundle, options: Options) -> Iterator[Problem]:
    ids = [id for id in ("preprocessing", "inferer", "postprocessing") if id in bundle.inference]
    try:
        failed = ask(bundle, options, "build", config=bundle.config("inference"), ids=ids)
    except ChildFailed as error:
        yield Problem(f"{', '.join(ids)}: {error}", "mend the config")
        return
    for id, why in failed.items():
        yield Problem(f"{id} cannot be built: {why}", "mend the config, or install what it needs")
