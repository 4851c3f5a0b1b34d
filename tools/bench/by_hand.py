"""The job of an inference run as a user would write it: pydicom or Pillow, a library's Grad-CAM, matplotlib."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from monai.visualize import GradCAM
from PIL import Image
from torch import nn
from torch.nn import functional as F

from tools.bench.plain import read_dicom

matplotlib.use("Agg")


class Classifier(nn.Module):
    """A network of maps as one of class logits, which Grad-CAM takes.

    Args:
        network: gives logit maps; its ``pool`` gives logits.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits (N, C) of images (N, 1, X, Y)."""
        return self.network.pool(self.network(image))


#: (network, name of a layer) -> heatmap (1, 1, x, y) of an image (1, 1, X, Y) and a class.
Cam = Callable[[nn.Module, str], Callable[[torch.Tensor, int], torch.Tensor]]


def monai_cam(model: nn.Module, layer: str) -> Callable[[torch.Tensor, int], torch.Tensor]:
    """Grad-CAM by MONAI."""
    cam = GradCAM(nn_module=model, target_layers=layer)
    return lambda image, best: cam(image, class_idx=best)


def captum_cam(model: nn.Module, layer: str) -> Callable[[torch.Tensor, int], torch.Tensor]:
    """Grad-CAM by captum."""
    from captum.attr import LayerGradCam

    cam = LayerGradCam(model, model.get_submodule(layer))
    return lambda image, best: cam.attribute(image, target=best, relu_attributions=True).detach()


def torchcam_cam(model: nn.Module, layer: str) -> Callable[[torch.Tensor, int], torch.Tensor]:
    """Grad-CAM by torchcam."""
    from torchcam.methods import GradCAM as TorchGradCam

    cam = TorchGradCam(model, layer)
    return lambda image, best: cam(best, model(image))[0][None]


def by_hand(
    paths: Sequence[Path],
    network: Any,
    labels: Sequence[str],
    size: Sequence[int],
    scale: Sequence[float],
    out: Path,
    library: Cam = monai_cam,
) -> None:
    """Heatmap of the most probable class over each radiograph as a figure, and all probabilities as JSON.

    Args:
        paths: PNG or DICOM files.
        network: gives logit maps; its last convolution is what Grad-CAM looks at.
        labels: class names.
        size: of the network's input.
        scale: mean and standard deviation that it was trained with.
        out: folder for the files.
        library: whose Grad-CAM.
    """
    model = Classifier(network).eval()
    layer = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)][-1]
    cam, results = library(model, layer), {}
    for path in paths:
        picture = _read(path)
        image = F.interpolate(torch.from_numpy(picture)[None, None], size=tuple(size), mode="area")
        image = (image - scale[0]) / scale[1]
        with torch.no_grad():
            probabilities = torch.sigmoid(model(image))[0]
        best = int(probabilities.argmax())
        heat = F.interpolate(cam(image, best), size=picture.shape, mode="bilinear")[0, 0]
        results[path.name] = dict(zip(labels, probabilities.tolist(), strict=True))
        figure = Figure(figsize=(8, 8))
        axes = figure.add_subplot()
        axes.imshow(picture, cmap="gray")
        axes.imshow(heat.numpy(), cmap="jet", alpha=0.4)
        axes.set_title(f"{labels[best]} {float(probabilities[best]):.2f}")
        axes.axis("off")
        figure.savefig(out / f"{path.stem}.png", dpi=140)
    (out / "results.json").write_text(json.dumps(results), encoding="utf-8")


def _read(path: Path) -> np.ndarray:
    """float32 (rows, columns) in [0, 1]."""
    if path.suffix == ".dcm":
        return read_dicom(path)
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), np.float32) / 255
