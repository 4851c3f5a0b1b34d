"""Tiny seeded networks of the saliency tests."""

from __future__ import annotations

import torch
from torch import nn

from cxr_common.localization import CamClassifier, Pylon
from cxr_common.networks import average_pool
from tests import golden


class Small(nn.Module):
    """Two convolutions, each followed by a ReLU in place, and a head; its maps average to the class logits.

    With the golden weights it is the network of ``wsmis_gradcampp``, whose linear layer after the average is this head.
    """

    def __init__(self, num_classes: int = 3, norm: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8) if norm else nn.Identity()
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.relu2 = nn.ReLU(inplace=True)
        self.linear = nn.Conv2d(16, num_classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.linear(self.relu2(self.conv2(self.relu1(self.norm(self.conv1(image))))))

    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        return average_pool(maps)


class ClassLogits(nn.Module):
    """A localisation network as other libraries expect a classifier: images to class logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.eval()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.network.pool(self.network(image))


def small(num_classes: int = 3, norm: bool = False, seed: int = 0) -> Small:
    """A seeded :class:`Small` in evaluation mode; with ``norm`` its running statistics are not the defaults."""
    torch.manual_seed(seed)
    network = Small(num_classes, norm)
    if norm:
        network.norm.running_mean.normal_()
        network.norm.running_var.uniform_(0.5, 2)
    return network.eval()


def golden_network() -> Small:
    """The network of golden case 3a in float64, on pictures (row, column)."""
    state = golden.weights("wsmis_gradcampp", 601, gain=1.0)
    state["linear.weight"] = state["linear.weight"][..., None, None]
    network = Small().double()
    network.load_state_dict(state)
    return network.eval()


def classifier(name: str) -> nn.Module:
    """A seeded "cam" (ResNet-18) or "pylon" network of 3 classes in evaluation mode, float64.

    Its head is enlarged so that gradients are not lost beside the constants other libraries add to denominators.
    """
    torch.manual_seed(1)
    network = CamClassifier(3, backbone="resnet18") if name == "cam" else Pylon(3, 1, "resnet18", decoder_channels=8)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    with torch.no_grad():
        network.head.weight.mul_(100)
        network.head.bias.normal_()
    return network.double().eval()


def image(n: int = 2, x: int = 64, y: int = 96) -> torch.Tensor:
    """Seeded images (n, 1, x, y), float64."""
    return torch.randn(n, 1, x, y, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
