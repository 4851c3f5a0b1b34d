"""Packages that training, pages or DICOM results need, and inference does not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from cxr_common.errors import InputError


def needed(module: str, package: str, purpose: str) -> Any:
    """Import a module of a package that is not always installed.

    Args:
        module: such as "skimage.measure".
        package: what pip calls it.
        purpose: what needs it, for the error.

    Returns:
        The module.

    Raises:
        InputError: the package is not installed; names the command that installs it.

    Example:
        >>> needed("json", "json", "reading JSON").loads("[1]")
        [1]
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"{purpose} needs {package}, which is not installed", action=f"pip install {package}"
        ) from error
