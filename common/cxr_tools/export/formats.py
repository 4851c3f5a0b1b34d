"""The formats: how a module becomes a file, and how a file runs."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.data import save_net_with_metadata
from torch import nn

from cxr_common.exports import OnnxFile, write_onnx
from cxr_tools.export.facts import as_texts
from cxr_verify.probes.exports import scripted

Facts = dict[str, Any]
Run = Callable[[torch.Tensor], tuple[torch.Tensor, ...]]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Args:
        suffix: of its name.
        write: module, example image (N, 1, X, Y), path, facts -> the file.
        load: path -> the file as a function of images.
        any_size: whether it takes all sizes, or that of the example alone. All take any number of images.
        needs: packages that writing and comparing it needs.
    """

    suffix: str
    write: Callable[[nn.Module, torch.Tensor, Path, Facts], None]
    load: Callable[[Path], Run]
    any_size: bool = True
    needs: tuple[str, ...] = ()


def _write_torchscript(module: nn.Module, image: torch.Tensor, path: Path, facts: Facts) -> None:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch calls TorchScript so
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # the file is compared with the network later
        file, _ = scripted(module, image)
        # Without MONAI's time stamp, so that the same weights give the same metadata.
        save_net_with_metadata(file, str(path), include_config_vals=False, meta_values=facts)


def _write_onnx(module: nn.Module, image: torch.Tensor, path: Path, facts: Facts) -> None:
    import onnx

    write_onnx(module, image, path, module.outputs)  # type: ignore[arg-type]  # a tuple of names
    model = onnx.load(path)
    for output in model.graph.output:  # the exporter calls a heatmap's columns "batch", as if the two were equal
        for axis, side in enumerate(output.type.tensor_type.shape.dim):
            if axis and side.HasField("dim_param"):
                side.dim_param = f"{output.name}_{axis}"
    onnx.helper.set_model_props(model, as_texts(facts))
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _write_torch_export(module: nn.Module, image: torch.Tensor, path: Path, facts: Facts) -> None:
    batch = ({0: torch.export.Dim("batch")},)
    with torch.no_grad():
        program = torch.export.export(module, (image,), dynamic_shapes=batch)
        torch.export.save(program, path, extra_files={"metadata.json": json.dumps(facts)})


def _load_torchscript(path: Path) -> Run:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch calls TorchScript so
        return torch.jit.load(str(path), map_location="cpu").eval()


#: In the order in which they are written.
FORMATS = {
    "onnx": Format(".onnx", _write_onnx, OnnxFile, needs=("onnx", "onnxruntime")),
    "torchscript": Format(".ts", _write_torchscript, _load_torchscript),
    "torch_export": Format(".pt2", _write_torch_export, lambda path: torch.export.load(path).module(), any_size=False),
}
