"""Names from outside, fit to be shown: on a terminal, on a page, in JSON."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?: object)? at 0x[0-9A-Fa-f]+")


def printable(text: object) -> str:
    r"""Text on one line without control characters, which could clear a terminal or forge a line of their own.

    What is not printable is written as Python writes it: ``\n``, ``\x1b``, ``\u202e``. A byte of a file name that is
    not UTF-8 becomes ``\xfc``.

    Example:
        >>> printable("a\nb")
        'a\\nb'
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in str(text))


def without_addresses(text: str) -> str:
    """Text of an exception without addresses of memory, which say nothing to a reader and differ from run to run."""
    return _ADDRESS.sub("", text)


def encodable(text: str) -> str:
    """Text that can be written as UTF-8: as it is, except for bytes of file names that are not UTF-8."""
    return text if is_encodable(text) else "".join(c if is_encodable(c) else _escaped(c) for c in text)


def is_encodable(text: str) -> bool:
    """Whether text can be written as UTF-8; Python's names of files that are not UTF-8 cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escaped(character: str) -> str:
    code = ord(character)
    # Python keeps byte b of a file name that is not UTF-8 as U+DC00 + b (PEP 383).
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else character.encode("unicode_escape").decode()
