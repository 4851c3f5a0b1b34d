"""Text of ours in the character set of a source, which results keep."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.charset import convert_encodings

from cxr_common.text import printable


def fitting(text: str, character_set: str | Sequence[str] | None, longest: int = 64) -> str:
    """A text that a DICOM element of a character set can hold.

    Characters that it has no code for are written as their number, such as ``<80F8>``; a backslash, which separates
    values, becomes a slash.

    Args:
        text: the text.
        character_set: SpecificCharacterSet of the dataset, None for ASCII.
        longest: characters that the element takes.

    Example:
        >>> fitting("Größe", None), fitting("Größe", "ISO_IR 100")
        ('Gr<F6><DF>e', 'Größe')
    """
    encodings = convert_encodings(character_set) if character_set else ["iso8859"]  # type: ignore[arg-type]
    codecs = {"ascii" if name == "iso8859" else name for name in encodings}  # the default repertoire is ASCII alone
    text = printable(text).replace("\\", "/")
    kept = "".join(c if any(_has(codec, c) for codec in codecs) else f"<{ord(c):02X}>" for c in text)
    return kept[:longest].strip()


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
