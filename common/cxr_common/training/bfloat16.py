"""Training in bfloat16 on processors that have it; MONAI's ``amp`` is for CUDA alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.plain_inferer import PlainInferer


class Bfloat16Inferer(PlainInferer):
    """A :class:`~cxr_common.networks.PlainInferer` whose convolutions compute in bfloat16.

    Parameters and losses stay in float32. MONAI's trainers open ``torch.autocast("cuda")`` whatever the device, so that
    ``amp`` changes nothing on a CPU. bfloat16 has float32's range: no gradient scaler is needed. A CPU with AVX-512
    BF16 or AMX trains about twice as fast with it; one without computes it by emulation, and slowly.

    MONAI's random transforms make a ``MetaTensor`` of whatever they are given; with one the backward pass loses the
    channels-last layout, and on CPUs takes half as long again.

    Args:
        enabled: False computes in float32.
    """

    def __init__(self, enabled: bool = True) -> None:
        super().__init__()
        self.enabled = enabled

    def as_maps(self, network: nn.Module) -> nn.Module:
        """The network itself, where it computes in float32.

        Raises:
            InputError: it is enabled; files of networks compute in float32.
        """
        if self.enabled:
            raise InputError("bfloat16 cannot be written as a file", "inferer", "export with bfloat16 switched off")
        return super().as_maps(network)

    def __call__(self, inputs: torch.Tensor, network: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """The network's output, a float32 tensor where it is enabled."""
        if not self.enabled:
            return super().__call__(inputs, network, *args, **kwargs)
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16):
            return super().__call__(inputs, network, *args, **kwargs).float()


def cpu_has_bfloat16() -> bool:
    """Whether this processor multiplies in bfloat16 (AVX-512 BF16 or AMX), so that training in it is faster."""
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
