"""The network against metadata."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle
from ..child import ChildFailed, ask
from ..options import Options
from ..outcome import Problem, Skip, warning
from ..registry import check


@check(
    "network.builds",
    "the network can be built, from another folder and without network access",
    needs=("network", "execution"),
    after=("safety.downloads", "safety.imports"),
)
def builds(bundle: Bundle, options: Options) -> Iterator[Problem]:
    try:
        failed = ask(bundle, options, "build", config=bundle.config("inference"), ids=["network_def"])
    except ChildFailed as error:
        failed = {"network_def": str(error)}
    for why in failed.values():
        yield Problem(f"network_def cannot be built: {why}", "mend the config, or install what it needs")


@check(
    "network.random",
    "with random weights it takes and gives what metadata says",
    needs=("network", "tensors", "execution"),
    after=("network.builds", "metadata.schema"),
    zoo=True,
)
def random(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    yield from compare(bundle, options, None)


def compare(bundle: Bundle, options: Options, weights: str | None) -> Iterator[Problem | str]:
    """What is wrong with the network's output, by metadata, with a file's weights or random ones."""
    pred = bundle.pred
    question = {"config": bundle.config("inference"), "image": bundle.image, "pred": pred, "weights": weights}
    try:
        found = ask(bundle, options, "network", **question)
    except ChildFailed as error:
        yield Problem(
            f"the network does not take the input that metadata describes: {error}", "mend network_data_format#inputs"
        )
        return
    if found["refused"]:
        yield warning(
            f"it does not take the smallest input: {found['refused'][0][:300]}",
            'write spatial_shape so that n = 1 works, such as "32*n": the zoo\'s CI tries that',
        )
    if "shape" not in found:
        if pred.get("type") == "object" or pred.get("format") == "dict":
            raise Skip(f"it takes its input; it gives a {found['kind']}, whose shape metadata cannot describe")
        yield Problem(f"it gives a {found['kind']}, metadata says one tensor", "return one tensor, or say type: object")
        return
    yield f"{found['input']} -> {found['shape']}"
    mend = "mend network_data_format#outputs, which describes the network's own output"
    if found["shape"][1:2] != [pred["num_channels"]]:
        yield Problem(f"it gives {found['shape']}, metadata says {pred['num_channels']} channels", mend)
    elif found["dtype"] != pred["dtype"] and pred["dtype"] not in ("float16", "bfloat16"):
        yield Problem(f"it gives {found['dtype']}, metadata says {pred['dtype']}", mend)
    elif found["expected"] is not None and found["shape"][2:] != found["expected"]:
        yield Problem(f"at {found['input']} it gives {found['shape']}, metadata says sizes {found['expected']}", mend)
    if not found["finite"] and weights:
        yield Problem("its output is not finite", "look for overflow; compare with where it was trained")
