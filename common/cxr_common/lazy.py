"""Packages whose parts are imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_attributes(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package (PEP 562).

    Args:
        package: its ``__name__``.
        modules: public name -> module within the package that defines it.

    Returns:
        A function that imports a name's module and returns the name. It raises AttributeError for any other name.

    Raises:
        ValueError: a name is that of its own module, whose import would hide it.
    """
    if hidden := [name for name, module in modules.items() if name == module]:
        raise ValueError(f"{package}: {', '.join(hidden)} would be hidden by the module of that name")

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return get
