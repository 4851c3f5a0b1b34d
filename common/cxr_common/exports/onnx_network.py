"""A network that ONNX Runtime runs. It is written once, into the user's cache."""

from __future__ import annotations

import hashlib

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.exports.onnx_file import TOLERANCE, OnnxFile, write_onnx
from cxr_common.files import cache_folder, replacing


class OnnxNetwork(nn.Module):
    """Gives what a network gives, computed by ONNX Runtime on the CPU.

    The ONNX file is made when the first image comes, and lies in the cache under the hash of the network's weights and
    structure. The first output at each size of image is compared with the network's: a file that differs, as it can
    after a change of code, is made anew.

    Args:
        network: images (N, C, X, Y) to one tensor; its weights must be loaded before the first image comes.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._file: OnnxFile | None = None
        self._compared: set[tuple[int, ...]] = set()

    @torch.no_grad()
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """What the network gives for images (N, C, X, Y).

        Raises:
            InputError: the cache cannot be written, or ONNX Runtime gives something else than the network.
        """
        plain = image.as_subclass(torch.Tensor).float().contiguous()
        size = tuple(plain.shape[1:])
        if self._file is None or size not in self._compared:
            self._file = compared_file(self.network.eval(), plain)
            self._compared.add(size)
        return self._file(plain)[0]

    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of logit maps (N, C, x, y), by the network's own rule."""
        return self.network.pool(maps)  # type: ignore[operator]  # a method, "Tensor | Module" to mypy


def compared_file(network: nn.Module, image: torch.Tensor) -> OnnxFile:
    """The ONNX file of a network in the cache; made where it is not there, is damaged or differs.

    Args:
        network: in evaluation mode.
        image: (N, C, X, Y), for which file and network must agree.

    Raises:
        InputError: the cache cannot be written, or a new file differs from the network.
    """
    path = cache_folder() / "onnx" / f"{fingerprint(network)}.onnx"
    expected = network(image)
    if path.is_file():
        try:
            file = OnnxFile(path)
            if _agrees(file, image, expected):
                return file
        except Exception:  # a damaged file: ONNX Runtime has many errors of its own
            pass
    with replacing(path) as temporary:
        write_onnx(network, image, temporary, ["pred"])
        file = OnnxFile(temporary)
        if not _agrees(file, image, expected):
            reason = f"ONNX Runtime gives something else than the network, by more than {TOLERANCE:g}"
            raise InputError(reason, "--runtime onnx", "leave it out, and report this as a defect")
    return file


def _agrees(file: OnnxFile, image: torch.Tensor, expected: torch.Tensor) -> bool:
    (found,) = file(image)
    return found.shape == expected.shape and bool((found - expected).abs().max() <= TOLERANCE)


def fingerprint(network: nn.Module) -> str:
    """Hash of a network's weights, of what its modules are, and of PyTorch's version."""
    digest = hashlib.sha256(f"{torch.__version__} {network!r}".encode())
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()
