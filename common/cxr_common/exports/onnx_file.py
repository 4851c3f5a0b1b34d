"""ONNX files: a network written as one, and one that runs on the CPU. ONNX Runtime is imported on first use."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

#: Largest difference between what a file gives and what its network gives.
TOLERANCE = 1e-4
#: The input's free sizes.
AXES = {0: "batch", 2: "columns", 3: "rows"}


def write_onnx(module: nn.Module, image: torch.Tensor, path: str | Path, outputs: Sequence[str]) -> None:
    """Write a module as one ONNX file with the input ``image``, for any number of images and any size it takes.

    By PyTorch's exporter that traces (two seconds of CPU for PYLON), although a newer one is there: with sizes that are
    multiples of 64 that one had no graph of PYLON after 70 seconds of CPU (torch 2.13).

    Args:
        module: in evaluation mode.
        image: (N, C, X, Y), an example.
        path: the file.
        outputs: names of what the module returns; each has the batch as first axis.
    """
    free = {"image": AXES, **{name: {0: "batch"} for name in outputs}}
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter is deprecated, and says where it fixes a value: what it writes is compared with the network.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.filterwarnings("ignore", "Constant folding")  # a step that it leaves as it is
        torch.onnx.export(
            module,
            (image,),
            str(path),
            dynamo=False,
            opset_version=18,
            input_names=["image"],
            output_names=list(outputs),
            dynamic_axes=free,
        )


class OnnxFile:
    """An ONNX file as a function on the CPU.

    Args:
        path: the file.
    """

    def __init__(self, path: str | Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors alone: what it warns of is no user's concern
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The outputs of images (N, C, X, Y) float32."""
        return tuple(torch.from_numpy(value) for value in self.session.run(None, {"image": image.numpy()}))
