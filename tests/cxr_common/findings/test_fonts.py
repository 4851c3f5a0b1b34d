from __future__ import annotations

import pytest

from cxr_common.findings import fonts
from cxr_common.findings.fonts import drawable, font


def test_ascii_has_the_font_that_is_the_same_everywhere():
    text, face = drawable("Mass .98", 17)
    assert text == "Mass .98"
    assert face.getname() == font(17).getname()


@pytest.mark.parametrize("text", ["Épanchement", "Пневмоторакс", "Ατελεκτασία"])
def test_scripts_that_dejavu_has_are_drawn(text):
    drawn, face = drawable(text, 17)
    assert drawn == text
    assert face.getname()[0] != font(17).getname()[0]


def test_what_no_font_has_is_spelled_by_its_codes(monkeypatch):
    monkeypatch.setattr(fonts, "SYSTEM_FONTS", ())
    drawable.cache_clear()
    text, face = drawable("胸水 1", 17)
    assert text == "<80F8><6C34> 1"
    assert face.getname() == font(17).getname()
    assert drawable("気胸", 17)[0] != text
    drawable.cache_clear()
