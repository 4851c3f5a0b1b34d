"""File names of classes, whose own names may be of any script."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from cxr_common.errors import InputError

#: Longest part of a file name that a class gets, in bytes; file systems take 255 for all of it.
MAX_BYTES = 60


def class_slug(label: str) -> str:
    """What a class is called in file names: its letters, marks and digits of any script, dots, underscores and dashes.

    Blanks become dashes. Where anything else had to go, or the name is cut, six digits of a hash tell it from others.
    """
    text = unicodedata.normalize("NFC", label).strip()
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" or c in "._-" else "-" for c in text)
    name = "-".join(part for part in kept.split("-") if part).strip(".") or "class"
    name = name.encode()[:MAX_BYTES].decode(errors="ignore")
    return name if name == "-".join(text.split()) else f"{name}-{hashlib.sha256(label.encode()).hexdigest()[:6]}"


def check_class_names(labels: Sequence[str]) -> None:
    """Refuse class names that cannot be written down, or whose files would have the same name.

    Raises:
        InputError: names the classes.
    """
    names: dict[str, str] = {}
    for label in labels:
        if not isinstance(label, str) or not label.strip():
            raise InputError(f"{label!r} is not a class name", "labels", "give it some text")
        if any(unicodedata.category(c) in ("Cc", "Cs") for c in label):
            raise InputError(f"{label!r} has control characters", "labels", "remove them from the class name")
        # Case folded: some file systems hold Mass.png and mass.png for the same.
        first = names.setdefault(class_slug(label).casefold(), label)
        if first != label:
            raise InputError(f"{first!r} and {label!r} give the same file name", "labels", "rename one of the classes")
