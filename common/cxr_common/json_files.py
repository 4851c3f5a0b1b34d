"""JSON from outside: strictly read, and checked against a model, with one error for whatever is wrong."""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cxr_common.errors import InputError
from cxr_common.text import is_encodable

#: A datalist of a million images has some 300 MB.
MAX_BYTES = 1 << 30
#: Longer numbers are no counts, coordinates or probabilities, and 5000 digits no number at all.
_MAX_DIGITS = 40


class Record(BaseModel):
    """A JSON object whose known fields have the declared types; others pass through. Text never becomes a number."""

    model_config = ConfigDict(
        strict=True, extra="allow", allow_inf_nan=False, frozen=True, use_attribute_docstrings=True
    )


def read_json(path: str | Path, action: str, model: type[Record] | None = None) -> Any:
    """Read a JSON file.

    Args:
        path: the file, UTF-8 with or without a byte order mark.
        action: what the user can do where it is unsound, for the error.
        model: what it must hold; None accepts any JSON.

    Returns:
        Plain values: numbers are finite, text can be written as UTF-8, no object had a key twice.

    Raises:
        InputError: the file cannot be read, is not strict JSON (with line and column where they are known), nests
            without end, or does not hold what the model says (with the first field that does not).
    """
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            raise InputError("is not a file, or is too large", path, action)
        text = Path(path).read_text(encoding="utf-8-sig")
        data = json.loads(
            text, parse_constant=_refuse, parse_int=_integer, parse_float=_number, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        place = f"{path} line {error.lineno} column {error.colno}"
        raise InputError(f"not JSON: {error.msg.lower()}", place, action) from None
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", path, action) from None
    except RecursionError:
        raise InputError("not such a file: lists or objects are nested too deep", path, action) from None
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"not JSON: {error}", path, action) from None
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), path, action) from None
    if "\\ud" in text.lower() and not is_encodable(json.dumps(data, ensure_ascii=False)):
        raise InputError("not JSON: half a character (a lone surrogate)", path, action)
    if model is not None:
        check_record(data, model, path, action)
    return data


SomeRecord = TypeVar("SomeRecord", bound=Record)


def check_record(data: Any, model: type[SomeRecord], where: object, action: str) -> SomeRecord:
    """Check parsed JSON against a model; returns what the model makes of it.

    Raises:
        InputError: names the first field that does not fit, and how many there are.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problems[0]["loc"]).lstrip(".")
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        reason = f"{field[:120] or 'content'}: {problems[0]['msg'].lower().removeprefix('value error, ')}{more}"
        raise InputError(reason, where, action) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that is there twice Python would take the last value, and other programs the first."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has {next(n for n in names if names.count(n) > 1)[:80]!r} twice")
    return made


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value
