"""The label list that all shipped weights share, and how sources map onto it.

A label value is 1 (present), 0 (absent), -1 (uncertain) or None / NaN (not annotated).
"""

from __future__ import annotations

from collections.abc import Mapping

LABELS: tuple[str, ...] = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Effusion",
    "Mass",
    "Nodule",
    "Opacity",
    "Pneumothorax",
)

#: NIH ChestX-ray14 findings that Opacity (CheXpert's "Lung Opacity") gathers.
NIH_OPACITY: tuple[str, ...] = ("Consolidation", "Infiltration", "Pneumonia", "Edema")
#: Shared labels that NIH ChestX-ray14 annotates under the same name.
NIH_DIRECT: tuple[str, ...] = tuple(name for name in LABELS if name != "Opacity")


def from_nih(findings: Mapping[str, float | None], no_finding: bool) -> list[int | None]:
    """Map NIH ChestX-ray14 image labels onto :data:`LABELS`.

    Args:
        findings: NIH finding name -> 1, 0, or None where unknown.
        no_finding: whether the report says "No Finding".

    Returns:
        One value per label. Opacity is 1 where any of :data:`NIH_OPACITY` is present, 0 where the image has no finding,
        else None: another finding does not rule an opacity out.

    Example:
        >>> values = from_nih({"Mass": 1, "Edema": 0}, no_finding=False)
        >>> values[LABELS.index("Mass")], values[LABELS.index("Opacity")]
        (1, None)
    """
    values: list[int | None] = []
    for name in LABELS:
        if name == "Opacity":
            present = any(findings.get(part) == 1 for part in NIH_OPACITY)
            values.append(1 if present else 0 if no_finding else None)
        else:
            value = findings.get(name)
            values.append(None if value is None else int(value))
    return values
