"""A bundle in memory, which is asked about one radiograph after another."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import tifffile
import torch
from monai.bundle import ConfigParser
from monai.data import decollate_batch, list_data_collate

from cxr_common.data import find_radiographs, read_picture
from cxr_common.errors import InputError, own_input_errors
from cxr_common.exports import RUNTIMES, check_runtime, on_runtime
from cxr_common.findings.case import Case, CaseKeys, RunModel, decode_case
from cxr_common.findings.thresholds import ClassThresholds
from cxr_common.loading.locate import find_bundle
from cxr_common.networks import load_weights, weights_sha256
from cxr_common.start.overrides import check_overrides
from cxr_common.start.rules import check_device

#: A path of a radiograph, or its grey values [row, column].
Image = str | os.PathLike[str] | np.ndarray


def load(bundle: str | os.PathLike[str], device: torch.device | str | None = None, **options: Any) -> LoadedBundle:
    """Load a bundle with its weights.

    Args:
        bundle: its name, folder or zip, see :func:`~cxr_common.loading.locate.find_bundle`.
        device: where it runs; None takes the GPU where there is one.
        options: entries of its inference.json to replace, such as ``weights="run/model.pt"``.

    Raises:
        InputError: there is no such bundle, option or device, or weights and options do not fit together.

    Example:
        >>> import cxr_common
        >>> bundle = cxr_common.load("cxr_pylon_localization")  # doctest: +SKIP
        >>> found = bundle("image.dcm")  # doctest: +SKIP
        >>> [finding.label for finding in found.present]  # doctest: +SKIP
        ['Effusion']
    """
    return LoadedBundle(find_bundle(bundle), device, options)


class LoadedBundle:
    """A bundle's own inference: the same preprocessing, network, thresholds and findings as its workflow has.

    Args:
        folder: of the bundle.
        device: where it runs; None takes the GPU where there is one.
        options: entries of its inference.json to replace.

    Attributes:
        model: name, version, class names and hash of the weights.
        folder: of the bundle.
        config: its inference.json with the options.
        network: with the weights, in evaluation mode.
        keys: where its postprocessing puts what it finds.
    """

    def __init__(
        self, folder: Path, device: torch.device | str | None = None, options: dict[str, Any] | None = None
    ) -> None:
        config = folder / "configs" / "inference.json"
        check_overrides([config], options or {}, folder.name)
        if (root := str(folder.resolve())) not in sys.path:
            sys.path.append(root)  # a packed bundle carries its own code
        parser = ConfigParser()
        parser.read_config(config)
        parser.update({**(options or {}), "bundle_root": str(folder)})
        names = ("network_def", "inferer", "preprocessing", "postprocessing", "labels", "weights", "device")
        with own_input_errors():
            parts = {name: parser.get_parsed_content(name) for name in names}
            load_weights(parts["network_def"], parts["weights"])
            scale = ("thresholds", "intensity_mean", "intensity_std")
            if all(name in parser for name in scale):  # a bundle of before has others
                ClassThresholds.check_intensity(*(parser.get_parsed_content(name) for name in scale))
        check_device(device or parts["device"])
        self.device = torch.device(device or parts["device"])
        runtime = parser.get("runtime", RUNTIMES[0])  # a bundle of before has no such option
        check_runtime(runtime, self.device, parts["inferer"])
        self.network = on_runtime(parts["network_def"].to(self.device), runtime).eval()
        self.folder, self.config = folder, parser
        self._parts, writer = parts, parser["findings_writer"]
        self.keys = CaseKeys(heatmap=writer.get("heatmap_key", "heatmap"), masks=writer.get("masks_key", "masks"))
        inferer, sha256 = parts["inferer"], weights_sha256(parts["weights"])
        made = inferer.describe() if hasattr(inferer, "describe") else {}
        self.model = RunModel(writer["bundle"], writer["version"], tuple(self.labels), sha256, made)

    @property
    def labels(self) -> list[str]:
        """Class names in the order of the findings."""
        return list(self._parts["labels"])

    @property
    def inferer(self) -> Any:
        """The bundle's inferer."""
        return self._parts["inferer"]

    @overload
    def __call__(self, images: Image) -> Case: ...  # type: ignore[overload-overlap]  # a str is a sequence of str
    @overload
    def __call__(self, images: Sequence[Image]) -> list[Case]: ...

    @torch.no_grad()
    def __call__(self, images: Image | Sequence[Image]) -> Case | list[Case]:
        """Look for findings.

        Args:
            images: one radiograph or several. A radiograph is a path, or an array [row, column] of grey values, bright
                where the body is dense: unsigned integers, or floats, which are taken as a file of that type would be.
                A folder stands for the radiographs in it.

        Returns:
            For each radiograph its :class:`~cxr_common.findings.Case`: `findings`, those `present`, `heatmap`, `masks`,
            `plot()`. A list, unless one array or one file was given.

        Raises:
            InputError: names the first radiograph that cannot be used.
        """
        if isinstance(images, np.ndarray):
            return self._of_array(images)
        if isinstance(images, (str, os.PathLike)):
            if Path(images).is_dir():
                return [self._of_file(Path(item["image"])) for item in find_radiographs(images)]
            return self._of_file(Path(images))
        return [self._of_array(i) if isinstance(i, np.ndarray) else self._of_file(Path(i)) for i in images]

    def read(self, path: str | os.PathLike[str]) -> dict[Hashable, Any]:
        """The first of three steps, which programs may take on different machines: read a radiograph.

        Returns:
            The item that the bundle's preprocessing makes; ``image`` is the network's input (1, X, Y).

        Raises:
            InputError: the radiograph cannot be used.
        """
        with own_input_errors():
            item: dict[Hashable, Any] = self._parts["preprocessing"]({"image": str(path)})
        return item

    @torch.no_grad()
    def predict(self, items: Sequence[Mapping[Hashable, Any]]) -> list[Any]:
        """The second step: run the network on several items in one batch.

        Args:
            items: of :meth:`read`; their images have the same shape.

        Returns:
            What the network gives for each, on the CPU.
        """
        batch = list_data_collate([{"image": item["image"]} for item in items])["image"].to(self.device)
        with own_input_errors():
            preds = self._parts["inferer"](batch, self.network)
        return [_on_cpu(pred) for pred in decollate_batch(preds)]

    def conclude(self, item: Mapping[Hashable, Any], pred: Any) -> dict[Hashable, Any]:
        """The third step: find what a network's output shows.

        Args:
            item: of :meth:`read`.
            pred: of :meth:`predict`.

        Returns:
            The item with what the bundle's postprocessing adds, which :func:`~cxr_common.findings.case.decode_case`
            reads by :attr:`keys`.

        Raises:
            InputError: nothing can be said about the image.
        """
        with own_input_errors():
            out: dict[Hashable, Any] = self._parts["postprocessing"]({**item, "pred": pred})
        if failure := out[self.keys.findings].get("failure"):
            raise InputError(failure["reason"], failure["path"], failure["action"])
        return out

    def _of_file(self, path: Path) -> Case:
        path = Path(os.path.abspath(path.expanduser()))
        item = self.read(path)
        out = self.conclude(item, self.predict([item])[0])
        return decode_case(out, self.keys, path.stem, path, self.model, read_picture)

    def _of_array(self, values: np.ndarray) -> Case:
        # Through a file, so that an array and a file of the same values become the same picture.
        if values.ndim != 2 or values.dtype.kind not in "uf":
            text = f"an array of shape {values.shape} and type {values.dtype}"
            action = "give grey values [row, column], unsigned integers or floats"
            raise InputError(f"{text} is not a radiograph", None, action)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "array.tif"
            tifffile.imwrite(path, values)
            case = self._of_file(path)
            case.picture  # noqa: B018 - read while the file is there
        return case


def _on_cpu(pred: Any) -> Any:
    return {key: value.cpu() for key, value in pred.items()} if isinstance(pred, dict) else pred.cpu()
