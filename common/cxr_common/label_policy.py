"""What training makes of uncertain labels."""

from __future__ import annotations

import torch

#: What training makes of an uncertain label (-1): leave it out, call it absent, present, or something between.
POLICIES: tuple[str, ...] = ("ignore", "zeros", "ones", "soft")


def apply_label_policy(label: torch.Tensor, policy: str, soft_target: float = 0.7) -> torch.Tensor:
    """Replace uncertain labels.

    Args:
        label: any shape; 1 present, 0 absent, -1 uncertain, NaN not annotated.
        policy: one of :data:`POLICIES` (U-Ignore, U-Zeros, U-Ones of CheXpert, Irvin 2019; "soft" as the label
            smoothing of Pham 2019 with one fixed target, so that a run can be repeated).
        soft_target: target of the policy "soft".

    Returns:
        Targets in [0, 1]; NaN where nothing is to be learned.

    Raises:
        ValueError: when the policy is not known.

    Example:
        >>> label = torch.tensor([1.0, 0.0, -1.0])
        >>> apply_label_policy(label, "ones").tolist()
        [1.0, 0.0, 1.0]
        >>> apply_label_policy(label, "ignore").tolist()
        [1.0, 0.0, nan]
    """
    if policy not in POLICIES:
        raise ValueError(f"unknown label policy {policy!r}; choose one of {', '.join(POLICIES)}")
    value = {"ignore": float("nan"), "zeros": 0.0, "ones": 1.0, "soft": soft_target}[policy]
    return torch.where(label == -1, torch.full_like(label, value), label)
