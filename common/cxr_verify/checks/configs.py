"""Configs: they can be read, their references lead somewhere, and MONAI's ids are there."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle, is_config
from ..child import ChildFailed, ask
from ..config_files import ConfigError, absolute, has, merge, references, strings, walk
from ..expressions import parse_expression
from ..options import Options
from ..outcome import Problem, Skip
from ..registry import check

_TYPOS = {"import": "imports", "initialise": "initialize", "_target": "_target_", "target": "_target_"}


@check("configs.readable", "every config can be read, each key once", needs=("bundle",), zoo=True)
def readable(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for name in bundle.config_names:
        try:
            bundle.read(name)
        except ConfigError as error:
            if not str(error).endswith("holds no mapping") or is_config(name):  # a list of data may lie here too
                yield Problem(str(error), "write one mapping, each key once")


@check("configs.expressions", "every $ expression is Python", needs=("bundle",))
def expressions(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for name, content in bundle.configs.items():
        for id, text in strings(content):
            if text.startswith("$"):
                try:
                    parse_expression(text)
                except SyntaxError as error:
                    yield Problem(f"{name}: {id}: {text[:120]!r} is not Python ({error.msg})", "mend the expression")


@check("configs.keys", "no key is misspelt", needs=("bundle",))
def keys(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for name, content in bundle.configs.items():
        for id, item in walk(content):
            for key in item if isinstance(item, dict) else ():
                # `target` alone is an argument that some transform may have; beside no `_target_` it is a slip.
                slip = key in _TYPOS and (key in ("_target",) or (not id and key in ("import", "initialise")))
                if slip:
                    yield Problem(f"{name}: {f'{id}#{key}' if id else key} is ignored by MONAI", f"write {_TYPOS[key]}")


@check("configs.references", "every @reference leads to an id", needs=("bundle",), after=("configs.readable",))
def reference_ids(bundle: Bundle, options: Options) -> Iterator[Problem]:
    told: set[tuple[str, str]] = set()
    for names in bundle.combinations:
        try:
            merged = bundle.merged(names)
        except ConfigError as error:
            yield Problem(str(error), "name a section that the configs before it have")
            continue
        for id, text in strings(merged):
            for reference in references(text):
                wanted = absolute(reference, id)
                if wanted.startswith("_meta_") or has(merged, wanted) or (id, wanted) in told:
                    continue
                told.add((id, wanted))
                yield Problem(
                    f"{' + '.join(names)}: {id} refers to @{wanted}, which is not there", "name an id of these configs"
                )


@check(
    "configs.infer_ids",
    "inference has the ids that MONAI asks for",
    needs=("inference", "libraries"),
    after=("configs.readable",),
)
def infer_ids(bundle: Bundle, options: Options) -> Iterator[Problem]:
    name = bundle.config("inference") or ""
    yield from _ids(bundle, options, name, "infer")


@check(
    "configs.train_ids",
    "training has the ids that MONAI asks for",
    needs=("train", "libraries"),
    after=("configs.readable",),
)
def train_ids(bundle: Bundle, options: Options) -> Iterator[Problem]:
    name = bundle.config("train") or ""
    yield from _ids(bundle, options, name, "train")


@check(
    "configs.evaluate_ids",
    "evaluation has an evaluator and something to run",
    needs=("evaluate",),
    after=("configs.readable",),
)
def evaluate_ids(bundle: Bundle, options: Options) -> Iterator[Problem]:
    train, evaluate = bundle.config("train"), bundle.config("evaluate") or ""
    try:
        merged = merge([(name, bundle.read(name)) for name in (train, evaluate) if name])
    except ConfigError as error:
        raise Skip(str(error)) from error
    if not (has(merged, "validate#evaluator") or "evaluator" in merged):
        yield Problem(f"{evaluate}: no validate#evaluator", "give the evaluator this id, here or in the train config")
    if "run" not in merged:
        yield _no_run(evaluate)
    elif train and bundle.read(train).get("run") == merged["run"]:
        yield Problem(
            f"{evaluate} runs what {train} runs: the training", "give it a `run` of its own, such as the evaluator's"
        )


def _ids(bundle: Bundle, options: Options, name: str, workflow: str) -> Iterator[Problem]:
    try:
        found = ask(bundle, options, "properties", config=name, workflow=workflow)
    except ChildFailed as error:
        yield Problem(f"MONAI cannot look its ids up: {error}", "mend the config")
        return
    for id in found["missing"]:
        yield Problem(f"{name}: no {id}", "add it: programs that take bundles look for this id")
    for id in found["misnamed"]:
        yield Problem(f"{name}: what should be {id} is not", "give it this id and refer to it by @")
    if "run" not in bundle.read(name):
        yield _no_run(name)


def _no_run(name: str) -> Problem:
    return Problem(f"{name}: no run", "add `run`, the list of what `python -m monai.bundle run` does")
