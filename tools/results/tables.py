"""The templates of tables and sentences, and what they may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2.environment import TemplateModule

from cxr_tools import markdown
from tools.results.figures import CHANCE

TEMPLATES = Path(__file__).with_name("templates")
Record = Mapping[str, Any]


def render_macro(template: str, macro: str, record: Record, *given: str) -> str:
    """What a macro makes of the content of a result file."""
    text: str = getattr(load_template(template, record), macro)(*given)
    return text


def load_template(template: str, record: Record) -> TemplateModule:
    """A template's macros over a record.

    Besides its fields they see "title" (method -> what it is called), "scored" (the methods that are, in the order of
    the experiment file -> title), "networks" (those that are no other's heatmaps), "chance" and "tested", the claims.
    """
    methods, scored = record["recipe"].get("methods", {}), scored_methods(record)
    title = {name: method["title"] for name, method in methods.items()} | {name: name for name in CHANCE}
    networks = {name: text for name, text in scored.items() if "weights_of" not in methods[name]}
    more = {"title": title, "scored": scored, "networks": networks, "chance": list(CHANCE), "tested": record["claims"]}
    return _environment().get_template(f"{template}.md.j2").make_module({**record, **more})


def scored_methods(record: Record) -> dict[str, str]:
    """The methods that are scored -> what they are called, in the order of the experiment file."""
    test = next(iter(record["tests"].values()))
    figure = next(iter(next(iter(test["figures"].values())).values()))
    methods = record["recipe"].get("methods", {})
    return {name: method["title"] for name, method in methods.items() if name in figure["methods"]}


def pick(table: Record, keys: Iterable[str]) -> list[Any]:
    """The values of some keys."""
    return [table[key] for key in keys]


def cells(figures: Any, methods: Any) -> list[str]:
    """The intervals of one figure or several, for one method or each of several."""
    figures = [figures] if isinstance(figures, Mapping) else figures
    methods = [methods] if isinstance(methods, str) else methods
    return [markdown.number(figure["methods"].get(name)) for name in methods for figure in figures]


def counted(counts: Record, labels: Sequence[str] | Mapping[str, str]) -> list[str]:
    """``Mass (12)``; of two numbers ``PA (12 / 30)``. Labels may be given with what they are called."""
    names = labels if isinstance(labels, Mapping) else dict(zip(labels, labels, strict=True))
    numbers = {label: counts[label] if isinstance(counts[label], list) else [counts[label]] for label in names}
    return [f"{text} ({' / '.join(map(str, numbers[label]))})" for label, text in names.items()]


def curve_points(recipe: Record) -> dict[str, list[tuple[int, str]]]:
    """Kind of annotation -> (images with it, name of the point) in rising order, of the detection experiment."""
    of, out = recipe["curves"]["of"], {}
    for kind, counts in recipe["curves"]["images"].items():
        names = {count: f"{of}_{kind}_{count}" for count in counts} | {recipe["images"][kind]: of}
        out[kind] = sorted(names.items())
    return out


def mean_relevance(runs: Record) -> dict[str, dict[str, float]]:
    """Layer relevance of the multiscale network, mean over its seeds: class -> stage -> weight."""
    seeds = [table for name, table in runs.items() if name.startswith("multiscale-")]
    return {
        label: {
            stage: sum(seed[label][stage] for seed in seeds) / len(seeds)
            for stage in sorted(stages, key=lambda name: int(name.split()[-1]))  # "stride 4" first
        }
        for label, stages in (seeds[0] if seeds else {}).items()
    }


@cache
def _environment() -> Environment:
    made = markdown.environment(TEMPLATES)
    made.tests["of"] = lambda run, method: run.startswith(f"{method}-seed")
    used = (cells, pick, counted, curve_points, mean_relevance)
    made.globals |= {function.__name__: function for function in used}
    return made
