"""YAML from outside: a file or an option, with one error for whatever is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cxr_common.errors import InputError


def parse_yaml(text: str, where: object, action: str | None = None) -> Any:
    """Parse YAML text.

    Args:
        text: the YAML.
        where: the file or option, for the error.
        action: what the user can do where it is unsound.

    Raises:
        InputError: it is no YAML, nests without end, or has a date or number that there is not.
    """
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1} column {mark.column + 1})" if mark else ""
        raise InputError(f"not YAML: {reason}{place}", where, action) from None
    except RecursionError:
        raise InputError("not such YAML: lists or mappings are nested too deep", where, action) from None
    except ValueError as error:  # of dates and of numbers of thousands of digits
        raise InputError(f"not YAML: {error}", where, action) from None


def read_yaml(path: Path, action: str | None = None) -> Any:
    """Parse a YAML file of UTF-8.

    Raises:
        InputError: as `parse_yaml`, or the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", path, action) from None
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), path, action) from None
    return parse_yaml(text, path, action)
