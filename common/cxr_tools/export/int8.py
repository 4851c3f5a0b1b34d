"""ONNX files in 8-bit whole numbers, by ONNX Runtime's static quantisation."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from cxr_common.data.discovery import find_radiographs
from cxr_common.data.loader import failure_from
from cxr_common.errors import InputError
from cxr_common.exports import OnnxFile
from cxr_common.files import replacing
from cxr_common.loading import LoadedBundle

#: Fewest radiographs, and the most that are looked at; the last quarter of them is compared, the others calibrate.
FEWEST, MOST = 20, 200


@dataclass(frozen=True)
class Quantised:
    """An ONNX file in 8-bit numbers.

    Attributes:
        path: of the file.
        images: how many were compared with the file that it was made from.
        mean: difference of a probability in these, on average.
        largest: the largest one.
        left_out: radiographs that could not be used -> why.
    """

    path: Path
    images: int
    mean: float
    largest: float
    left_out: dict[str, str]


def quantise(onnx: Path, bundle: LoadedBundle, radiographs: Path) -> Quantised:
    """Write ``NAME_int8.onnx`` beside a bundle's ONNX file.

    Args:
        onnx: the file, with heatmap and logits as outputs.
        bundle: that it was made from.
        radiographs: folder of the kind of images that the file will see; labels are not needed.

    Raises:
        InputError: the file has other outputs, or fewer than 20 radiographs can be used.
    """
    import onnx as onnx_package

    model = onnx_package.load(onnx)
    if [output.name for output in model.graph.output] != ["heatmap", "logits"]:
        raise InputError("is for bundles whose files give heatmap and logits", "--int8", "leave it out")
    images, left_out = read_some(bundle, radiographs)
    split = len(images) * 3 // 4
    path = onnx.with_name(f"{onnx.stem}_int8.onnx")
    with replacing(path) as temporary:
        write_int8(onnx, temporary, images[:split])
        quantised = onnx_package.load(temporary)
        facts = {entry.key: entry.value for entry in model.metadata_props}
        onnx_package.helper.set_model_props(quantised, {**facts, "precision": json.dumps("int8")})
        onnx_package.save(quantised, temporary)
        before, after = OnnxFile(onnx), OnnxFile(temporary)
        off = torch.cat([(before(image)[1].sigmoid() - after(image)[1].sigmoid()).abs() for image in images[split:]])
    return Quantised(path, len(images) - split, float(off.mean()), float(off.max()), left_out)


def read_some(bundle: LoadedBundle, radiographs: Path) -> tuple[list[torch.Tensor], dict[str, str]]:
    """Up to 200 radiographs of a folder, as inputs (1, 1, X, Y) of the network, and those that cannot be used.

    Raises:
        InputError: fewer than 20 can be used.
    """
    paths = [item["image"] for item in find_radiographs(radiographs)]
    images: list[torch.Tensor] = []
    left_out: dict[str, str] = {}
    for number in np.random.default_rng(0).permutation(len(paths)):
        if len(images) == MOST:
            break
        try:
            image = bundle.read(paths[number])["image"]
        except Exception as error:
            left_out[paths[number]] = failure_from(error, paths[number]).reason
            continue
        images.append(image.as_subclass(torch.Tensor)[None].float().contiguous())
    if len(images) < FEWEST:
        raise InputError(f"{len(images)} radiographs can be used", f"--int8 {radiographs}", f"give {FEWEST} or more")
    return images, left_out


def write_int8(onnx: Path, path: Path, images: Sequence[torch.Tensor]) -> None:
    """Quantise an ONNX file with the input ``image``: weights for each channel, activations by their range on images.

    With ONNX Runtime's defaults. Its other calibrations, by percentiles and entropy, gave PYLON the same on NIH's
    validation images.

    Args:
        onnx: the file.
        path: of the new one.
        images: (N, 1, X, Y) each.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.getLogger().addFilter(_no_axis)
    try:
        with TemporaryDirectory() as folder:
            prepared = Path(folder) / "prepared.onnx"
            quant_pre_process(onnx, prepared, skip_symbolic_shape=True)
            quantization.quantize_static(prepared, path, _Images(iter(images)), per_channel=True)
    finally:
        logging.getLogger().removeFilter(_no_axis)


def _no_axis(record: logging.LogRecord) -> bool:
    """False of ONNX Runtime's warnings on constants without channels, which are no user's concern."""
    return "out-of-range for weight" not in record.getMessage()


@dataclass(frozen=True)
class _Images:
    """Images as ONNX Runtime's calibration reads them."""

    images: Iterator[torch.Tensor]

    def get_next(self) -> dict[str, Any] | None:
        image = next(self.images, None)
        return None if image is None else {"image": image.numpy()}
