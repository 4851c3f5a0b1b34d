"""TorchScript and ONNX, which are slow: only with --exports."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle
from ..child import ChildFailed, ask
from ..options import Options
from ..outcome import Problem, Skip
from ..registry import check

TOLERANCE = 1e-4
_NEEDS = ("exports", "network", "tensors", "execution")
_AFTER = ("network.random", "network.builds", "weights.strict")


@check("exports.torchscript", "TorchScript gives what the network gives", needs=_NEEDS, after=_AFTER, zoo=True)
def torchscript(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    yield from _compare(bundle, options, "torchscript")


@check(
    "exports.shipped", "the shipped TorchScript file gives what the network gives", needs=_NEEDS, after=_AFTER, zoo=True
)
def shipped(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    if "models/model.ts" not in bundle.files:
        raise Skip("no models/model.ts")
    if not bundle.weights:
        raise Skip("the weights are not here to compare it with")
    yield from _compare(bundle, options, "torchscript", "models/model.ts")


@check("exports.onnx", "ONNX gives what the network gives", needs=_NEEDS, after=_AFTER)
def onnx(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    yield from _compare(bundle, options, "onnx")


def _compare(bundle: Bundle, options: Options, kind: str, file: str | None = None) -> Iterator[Problem | str]:
    question = {"config": bundle.config("inference"), "image": bundle.image, "weights": bundle.weights}
    try:
        found = ask(bundle, options, "exports", kind=kind, shipped=file, **question)
    except ChildFailed as error:
        if "No module named 'onnx" in str(error):
            raise Skip(f"{error}; pip install onnx onnxscript onnxruntime") from error
        yield Problem(
            f"{file or kind}: {error}", "mend the network's code, or say in the card that there is no such export"
        )
        return
    yield f"{found['how']}, differs by {found['difference']:.1e}"
    if not found["difference"] <= TOLERANCE:
        yield Problem(
            f"{file or kind} differs from the network by {found['difference']:.1e}",
            "export it again from these weights",
        )
