"""The shipped weights."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle
from ..child import ChildFailed, ask
from ..options import Options
from ..outcome import Problem
from ..registry import check
from .network import compare


@check(
    "weights.safe",
    "files of weights are plain tensors, read with weights_only",
    needs=("bundle", "weights", "libraries"),
)
def safe(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    for name in (n for n in bundle.files if n.startswith("models/") and n.endswith((".pt", ".pth"))):
        try:
            yield f"{name}: {ask(bundle, options, 'weights', path=name)['count']} tensors"
        except ChildFailed as error:
            yield Problem(
                f"{name} cannot be read with weights_only: {error}",
                "save network.state_dict() alone: plain tensors, no numpy, no objects",
            )


@check(
    "weights.finite",
    "no weight is infinite or not a number",
    needs=("bundle", "weights", "libraries"),
    after=("weights.safe",),
)
def finite(bundle: Bundle, options: Options) -> Iterator[Problem]:
    wrong = ask(bundle, options, "weights", path=bundle.weights)["not_finite"]
    if wrong:
        yield Problem(f"{len(wrong)} tensors are not finite, first {wrong[0]}", "ship another checkpoint")


@check(
    "weights.strict",
    "the weights fit the network, key by key",
    needs=("network", "weights", "execution"),
    after=("weights.safe", "network.builds"),
)
def strict(bundle: Bundle, options: Options) -> Iterator[Problem]:
    try:
        found = ask(bundle, options, "weights", path=bundle.weights, config=bundle.config("inference"))
    except ChildFailed as error:
        yield Problem(f"the weights cannot be compared with the network: {error}", "mend the config")
        return
    words = {"missing": "are missing", "unexpected": "fit nothing", "shape": "have another shape"}
    for key, what in words.items():
        if names := found[key]:
            yield Problem(
                f"{len(names)} of the network's tensors {what} in {bundle.weights}, first {names[0]}"
                if key != "unexpected"
                else f"{len(names)} tensors of {bundle.weights} {what} in the network, first {names[0]}",
                "ship the weights of this network_def: many programs load loosely and would say nothing",
            )


@check(
    "weights.output",
    "with them the network's output is finite and as metadata says",
    needs=("network", "tensors", "weights", "execution"),
    after=("network.random", "network.builds", "metadata.schema", "weights.strict", "weights.finite"),
)
def output(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    yield from compare(bundle, options, bundle.weights)
