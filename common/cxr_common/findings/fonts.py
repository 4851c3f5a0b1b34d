"""Fonts for class names of any script."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

#: Fonts of systems, by file name, for scripts that DejaVu lacks. The first that has all of a text draws it.
SYSTEM_FONTS = (
    *("NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "NotoSansThai-Regular.ttf"),
    *("NotoSansDevanagari-Regular.ttf", "NotoSansBengali-Regular.ttf", "NotoSansTamil-Regular.ttf"),
    *("wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "unifont.ttf"),  # Linux
    *("Arial Unicode.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc"),  # macOS
    *("msyh.ttc", "msgothic.ttc", "malgun.ttf", "leelawui.ttf", "Nirmala.ttf"),  # Windows
)
_NO_CHARACTER = "\uffff"


@lru_cache(maxsize=20)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with Pillow, so that overlays look the same everywhere; it has ASCII only."""
    return ImageFont.load_default(size)  # type: ignore[return-value]


@lru_cache(maxsize=1000)
def drawable(text: str, size: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """A text and a font that can draw it.

    Args:
        text: of any script.
        size: of the font, pixels.

    Returns:
        The text as it is, and the first font that has all of it: Pillow's own, DejaVu where matplotlib is, whose it is
        (Latin, Greek, Cyrillic, Arabic and more), then :data:`SYSTEM_FONTS`. Where none has, characters outside of
        ASCII are replaced by their codes, such as ``<80F8>``, so that what is drawn still tells one class from another.
    """
    text = unicodedata.normalize("NFC", text)
    for face in _faces(size):
        if all(_has(face, character) for character in set(text)):
            return text, face
    return "".join(c if c.isascii() else f"<{ord(c):04X}>" for c in text), font(size)


def _faces(size: int) -> Iterator[ImageFont.FreeTypeFont]:
    yield font(size)
    matplotlib = find_spec("matplotlib")  # found, not imported: inference goes without it
    own = Path(matplotlib.origin).parent / "mpl-data/fonts/ttf" if matplotlib and matplotlib.origin else Path()
    for name in (str(own / "DejaVuSans.ttf"), "DejaVuSans.ttf", *SYSTEM_FONTS):
        if (face := _system_font(name, size)) is not None:
            yield face


@lru_cache(maxsize=100)
def _system_font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


@lru_cache(maxsize=10_000)
def _has(face: ImageFont.FreeTypeFont, character: str) -> bool:
    """Whether a font has a character: one that it lacks is drawn as a character is that none has."""
    if character.isspace():
        return True
    drawn, missing = face.getmask(character), face.getmask(_NO_CHARACTER)
    return (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))
