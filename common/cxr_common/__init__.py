"""Shared code of the chest X-ray bundle collection: weakly supervised localisation on MONAI."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULES = (
    "axes",
    "boxes",
    "cli",
    "data",
    "detection",
    "dicom_results",
    "distributed",
    "errors",
    "evaluation",
    "exports",
    "files",
    "findings",
    "labels",
    "loading",
    "localization",
    "metrics",
    "networks",
    "refinement",
    "segmentation",
    "start",
    "training",
    "transforms",
)


if TYPE_CHECKING:
    from cxr_common.loading import load as load


def __getattr__(name: str) -> Any:
    """Import a subpackage on first use, so that configs need one ``import cxr_common`` and inference little else."""
    if name == "load":
        return import_module(f"{__name__}.loading").load
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
