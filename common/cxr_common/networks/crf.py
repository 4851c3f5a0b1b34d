"""The fully connected CRF (Kraehenbuehl & Koltun 2011, arXiv 1210.5644) with the settings of IRNet, WSMIS and CheXseg.

The mean field is computed as pydensecrf does it (Potts model, kernels normalised symmetrically, a pixel's message to
itself included), but with torch alone and with the Gaussian kernels to rounding, where a permutohedral lattice
approximates them. Another solver, such as a binding of a maintained library, takes its place by ``solver=``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

Operator = Callable[[torch.Tensor], torch.Tensor]

#: Nodes of the quadrature: spacing and reach beyond the data, in standard deviations of the kernel.
_SPACING, _REACH = 0.5, 3.0
#: Elements of the largest temporary, 16 MB.
_BLOCK = 2**21


@dataclass(frozen=True)
class CrfSettings:
    """Parameters of the CRF; the defaults are the published ones.

    Attributes:
        gaussian_sxy: standard deviation of the smoothness kernel, pixels.
        gaussian_compat: its weight.
        bilateral_sxy: spatial standard deviation of the appearance kernel, pixels.
        bilateral_srgb: its standard deviation in each of three colour channels, grey levels of 0..255.
        bilateral_compat: its weight.
        iterations: mean-field updates.
    """

    gaussian_sxy: float = 3.0
    gaussian_compat: float = 3.0
    bilateral_sxy: float = 50.0
    bilateral_srgb: float = 5.0
    bilateral_compat: float = 10.0
    iterations: int = 10

    def __post_init__(self) -> None:
        if min(self.gaussian_sxy, self.bilateral_sxy, self.bilateral_srgb) <= 0 or self.iterations < 0:
            raise ValueError(f"standard deviations must be positive and iterations not negative: {self}")

    def at_stride(self, stride: float) -> CrfSettings:
        """The same CRF on a grid of one cell every ``stride`` pixels."""
        return replace(self, gaussian_sxy=self.gaussian_sxy / stride, bilateral_sxy=self.bilateral_sxy / stride)


Solver = Callable[[torch.Tensor, torch.Tensor, CrfSettings], torch.Tensor]


def unary_from_labels(labels: torch.Tensor, n_labels: int, gt_prob: float = 0.7) -> torch.Tensor:
    """Energies of a label map that is right with probability p, as pydensecrf has them with zero_unsure=False.

    Args:
        labels: (N, X, Y) integers in 0..n_labels - 1.
        n_labels: L, background included.
        gt_prob: p in (0, 1).

    Returns:
        (N, L, X, Y) float32: -log(p) for the label, -log((1 - p) / (L - 1)) for the others.

    Raises:
        ValueError: when a label or p is out of range.
    """
    if not 0 < gt_prob < 1:
        raise ValueError(f"gt_prob must be in (0, 1), not {gt_prob}")
    if n_labels < 1 or (labels.numel() and (labels.min() < 0 or labels.max() >= n_labels)):
        raise ValueError(f"labels must lie in 0..{n_labels - 1}")
    other = math.inf if n_labels == 1 else -math.log((1 - gt_prob) / (n_labels - 1))  # a single label has no others
    is_label = labels.unsqueeze(1) == torch.arange(n_labels, device=labels.device).view(-1, 1, 1)
    return torch.where(is_label, -math.log(gt_prob), other).float()


def dense_crf(
    unary: torch.Tensor, image: torch.Tensor, settings: CrfSettings | None = None, solver: Solver | None = None
) -> torch.Tensor:
    """Marginal probabilities of the fully connected CRF.

    Args:
        unary: (N, L, X, Y) energies, -log of probabilities.
        image: (N or 1, 1 or 3, X, Y) grey levels in 0..255; a single one is shared by all unaries. One channel counts
            as three equal ones, which is what published code makes of a radiograph.
        settings: default the published ones; see :meth:`CrfSettings.at_stride` for grids coarser than the image.
        solver: maps (unary, image, settings) to probabilities; default :func:`mean_field`.

    Returns:
        (N, L, X, Y) probabilities of the unary's dtype.

    Raises:
        ValueError: when shapes do not agree, energies are not floats or NaN, or grey levels are outside 0..255.
    """
    n, channels = image.shape[:2] if image.ndim == 4 else (0, 0)
    if unary.ndim != 4 or channels not in (1, 3) or n not in (1, len(unary)) or image.shape[2:] != unary.shape[2:]:
        raise ValueError(
            f"unary must be (N, L, X, Y) and image (N or 1, 1 or 3, X, Y), got {(*unary.shape,)} and {(*image.shape,)}"
        )
    if not ((image >= 0) & (image <= 255)).all() or unary.isnan().any() or not unary.is_floating_point():
        raise ValueError("grey levels must lie in 0..255 and energies must be floats and not NaN")
    return (solver or mean_field)(unary, image, settings or CrfSettings()).to(unary.dtype)


def refine_labels(
    labels: torch.Tensor,
    n_labels: int,
    image: torch.Tensor,
    gt_prob: float = 0.7,
    settings: CrfSettings | None = None,
    solver: Solver | None = None,
) -> torch.Tensor:
    """Label maps after the CRF, as IRNet refines what a threshold says.

    Args:
        labels: (N, X, Y) integers in 0..n_labels - 1.
        n_labels: the classes that the image has, and background.
        image: (N or 1, 1 or 3, X, Y) grey levels, see :func:`dense_crf`.
        gt_prob: see :func:`unary_from_labels`.
        settings: see :func:`dense_crf`.
        solver: see :func:`dense_crf`.

    Returns:
        (N, X, Y) of the labels' dtype.
    """
    unary = unary_from_labels(labels, n_labels, gt_prob)
    return dense_crf(unary, image, settings, solver).argmax(1).to(labels.dtype)


def mean_field(unary: torch.Tensor, image: torch.Tensor, settings: CrfSettings) -> torch.Tensor:
    """The solver that needs nothing but torch; arguments as :func:`dense_crf` takes them.

    The smoothness kernel is exact. The appearance kernel of a grey image is a quadrature with a relative error of 2e-8,
    in time and memory that grow with X Y: about a second of one core for 2 labels on 128 x 128. That of a colour image
    is summed pair by pair, in blocks of rows, in time that grows with (X Y)^2: 20 seconds there, 2 on 64 x 64.
    Measured against a sum over all pairs (16 x 16 noise) the probabilities of a grey image differ by 1e-7 at most, of
    a colour image by 1e-11. In float64 throughout, because undecided pixels amplify rounding a hundredfold.
    """
    unary, image = unary.double(), image.double()
    if len(image) == 1:
        return _one_image(unary, image[0], settings)
    return torch.cat([_one_image(u[None], i, settings) for u, i in zip(unary, image, strict=True)])


def _one_image(unary: torch.Tensor, image: torch.Tensor, settings: CrfSettings) -> torch.Tensor:
    kernels = (
        (settings.gaussian_compat, _gaussian(image, settings.gaussian_sxy)),
        (settings.bilateral_compat, _bilateral(image, settings.bilateral_sxy, settings.bilateral_srgb)),
    )
    terms = [_messages(kernel, weight, kernel(torch.ones_like(image[:1])).rsqrt()) for weight, kernel in kernels]
    q = torch.softmax(-unary, 1)
    for _ in range(settings.iterations):
        q = torch.softmax(sum((term(q) for term in terms), -unary), 1)
    return q


def _messages(kernel: Operator, weight: float, scale: torch.Tensor) -> Operator:
    """Multiply probabilities (N, L, X, Y) by weight D K D, where scale (1, X, Y) is the diagonal of D."""
    total = weight * scale * kernel(scale)

    def apply(q: torch.Tensor) -> torch.Tensor:
        # Probabilities sum to 1: the last label has what the others leave of the total, which halves the work of two.
        sums = weight * scale * kernel((q[:, :-1] * scale).flatten(0, 1)).reshape(q[:, :-1].shape)
        return torch.cat((sums, total - sums.sum(1, keepdim=True)), 1)

    return apply


def _gaussian(image: torch.Tensor, sxy: float) -> Operator:
    """Multiply (M, X, Y) by exp(-|p - q|^2 / (2 sxy^2)), which is separable."""
    along_x, along_y = (torch.exp(-0.5 * (a[:, None] - a) ** 2) for a in _axes(image, sxy))
    return lambda values: along_x @ values @ along_y


def _bilateral(image: torch.Tensor, sxy: float, srgb: float) -> Operator:
    """Multiply (M, X, Y) by exp(-|p - q|^2 / (2 sxy^2) - |I_p - I_q|^2 / (2 srgb^2)), I (1 or 3, X, Y)."""
    x, y = _axes(image, sxy)
    if len(image) == 3:
        return _pairs(torch.cat((torch.stack(torch.meshgrid(x, y, indexing="ij")), image / srgb)))
    return _grey(x, y, image[0] * (math.sqrt(3) / srgb))  # three equal channels


def _axes(image: torch.Tensor, sxy: float) -> list[torch.Tensor]:
    return [torch.arange(n, dtype=image.dtype, device=image.device) / sxy for n in image.shape[-2:]]


def _grey(x: torch.Tensor, y: torch.Tensor, grey: torch.Tensor) -> Operator:
    """The Gaussian of (x, y, grey) distances as F F^T over a grid of nodes, F the product of one factor an axis."""
    on_x, on_y, on_grey = _factor(x), _factor(y), _factor(grey)
    rows = max(1, _BLOCK // on_grey[0].numel())  # x positions at once
    blocks = list(zip(on_x.split(rows), on_grey.split(rows), strict=True))

    def one(v: torch.Tensor) -> torch.Tensor:
        nodes = torch.zeros(on_x.shape[1], on_y.shape[1], on_grey.shape[2], dtype=v.dtype, device=v.device)
        for (f, g), part in zip(blocks, v.split(rows), strict=True):
            nodes += torch.tensordot(f.T, on_y.T @ (part[..., None] * g), 1)
        return torch.cat([((on_y @ torch.tensordot(f, nodes, 1)) * g).sum(-1) for f, g in blocks])

    return lambda values: torch.stack([one(v) for v in values]) if len(values) else values


def _factor(a: torch.Tensor) -> torch.Tensor:
    """F (..., nodes) with sum_c F(a, c) F(b, c) = exp(-(a - b)^2 / 2).

    The right side is the integral over c of sqrt(2 / pi) exp(-(a - c)^2) exp(-(b - c)^2), which the trapezoidal rule
    sums with a relative error of 2 exp(-pi^2 / (2 h^2)) = 5e-9 at the spacing h = 1 / 2.
    """
    low, high = float(a.min()) - _REACH, float(a.max()) + _REACH
    nodes = torch.arange(low, high + _SPACING, _SPACING, dtype=a.dtype, device=a.device)
    return (2 / math.pi) ** 0.25 * math.sqrt(_SPACING) * torch.exp(-((a[..., None] - nodes) ** 2))


def _pairs(features: torch.Tensor) -> Operator:
    """Multiply (M, X, Y) by exp(-|f_p - f_q|^2 / 2), features (d, X, Y), in blocks of pixels."""
    f = features.flatten(1).T
    half = 0.5 * (f**2).sum(1)
    rows = max(1, _BLOCK // len(f))
    blocks = list(zip(f.split(rows), half.split(rows), strict=True))

    def apply(values: torch.Tensor) -> torch.Tensor:
        v = values.flatten(1).T
        sums = [torch.addmm(-half, b, f.T).sub_(h[:, None]).exp_() @ v for b, h in blocks]
        return torch.cat(sums).T.reshape(values.shape)

    return apply
