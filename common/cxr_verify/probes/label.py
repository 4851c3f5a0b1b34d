"""What MONAI Label would get: preprocessing, network, inferer and postprocessing on a picture made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import Compose, LoadImaged, Resize, SaveImaged

from .model import NETWORK, parser_of, read_weights, spatial_sizes

AFFINE = np.diag([1.5, 1.25, 2.0, 1.0])


def probe(root: Path, config: str, image: dict[str, Any], weights: str | None) -> dict[str, Any]:
    """Run them as MONAI Label 0.8.5 does.

    It wants metadata of `LoadImaged` beside the image, leaves `SaveImaged` out, brings what is no detection to the
    picture's size in the end, and takes nothing else of the config.

    Returns:
        `original`: sizes of the picture; of a tensor or array its `shape`, `dtype` and `affine`, of a dictionary
        the shape of each value by key.
    """
    files, sizes, affine = _write_picture(image)
    parser = parser_of(root, config)
    network = parser.get_parsed_content(NETWORK)
    if weights:
        network.load_state_dict(read_weights(root / weights))
    network.eval()
    before = _transforms(parser, "preprocessing")
    for transform in before:
        if isinstance(transform, LoadImaged):
            transform._loader.image_only = False
    data: dict[str, Any] = dict(Compose(before)({"image": files, "image_path": files}))
    with torch.no_grad():
        if "detector" in parser:
            data |= _detect(parser, data["image"])
        else:
            inferer = parser.get_parsed_content("inferer") if "inferer" in parser else lambda x, net: net(x)
            data["pred"] = inferer(data["image"][None], network)[0]
    kept = [t for t in _transforms(parser, "postprocessing") if not isinstance(t, SaveImaged)]
    result = dict(Compose(kept)(data))
    if "detector" not in parser:
        _restore(result)
    answer: dict[str, Any] = {"original": sizes, "given": affine}
    pred = result.get("pred")
    if "detector" not in parser and isinstance(pred, torch.Tensor | np.ndarray):
        tensor = torch.as_tensor(pred)
        answer |= {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
        answer["affine"] = pred.affine.tolist() if isinstance(pred, MetaTensor) else None
    else:
        answer["parts"] = {
            str(k): list(np.shape(v)) for k, v in result.items() if isinstance(v, torch.Tensor | np.ndarray | list)
        }
    return answer


def _detect(parser: ConfigParser, image: torch.Tensor) -> dict[str, Any]:
    if "detector_ops" in parser:
        parser.get_parsed_content("detector_ops")
    detector = parser.get_parsed_content("detector")
    if hasattr(detector, "eval"):
        detector.eval()
    found = detector(image[None], use_inferer=False)  # True: windows that may be far larger than the picture
    return dict(found[0] if isinstance(found, list) else found)


def _restore(result: dict[str, Any]) -> None:
    """MONAI Label's own last step, which takes the first axis for channels."""
    pred, image = result.get("pred"), result.get("image")
    if not isinstance(pred, torch.Tensor | np.ndarray):
        return
    meta = image.meta if isinstance(image, MetaTensor) else result.get("image_meta_dict", {})
    sizes = tuple(pred.shape[1:])
    wanted = tuple(int(size) for size in meta.get("spatial_shape", sizes))[-len(sizes) :]
    if np.any(np.not_equal(sizes, wanted)):
        pred = Resize(wanted, mode="nearest")(torch.as_tensor(pred))
    result["pred"] = pred[0] if pred.ndim > 3 and pred.shape[0] == 1 else pred


def _transforms(parser: ConfigParser, id: str) -> list[Any]:
    if id not in parser:
        return []
    steps = parser.get_parsed_content(id)
    return list(steps.transforms) if isinstance(steps, Compose) else [steps]


def _write_picture(image: dict[str, Any]) -> tuple[str | list[str], list[int], list[list[float]] | None]:
    """A PNG for two dimensions, NIfTI for three (a file per channel), no two sides alike; in the working directory."""
    sizes = [max(s, 24) + 3 * i for i, s in enumerate(spatial_sizes(image["spatial_shape"], 1, 64))]
    random, channels = np.random.default_rng(0), int(image["num_channels"])
    if len(sizes) == 2:
        from PIL import Image

        if channels not in (1, 3, 4):
            raise ValueError(f"no picture file has {channels} channels")
        pixels = random.integers(0, 256, (*sizes[::-1], channels), dtype=np.uint8)
        Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save("picture.png")
        return str(Path("picture.png").resolve()), sizes, None
    if len(sizes) != 3:
        raise ValueError(f"an input of {len(sizes)} dimensions is not an image")
    import nibabel

    files = []
    for i in range(channels):
        volume = nibabel.Nifti1Image(random.random(sizes, dtype=np.float32) * 100, AFFINE)
        volume.to_filename(f"volume{i}.nii.gz")
        files.append(str(Path(f"volume{i}.nii.gz").resolve()))
    return files if channels > 1 else files[0], sizes, AFFINE.tolist()
