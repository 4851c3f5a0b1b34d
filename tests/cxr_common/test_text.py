import os

import pytest

from cxr_common.text import encodable, is_encodable, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ä 胸水 ✓.png", "ä 胸水 ✓.png"),
        ("a\nerror: all is well\x1b[2J", "a\\nerror: all is well\\x1b[2J"),
        ("\x9b31m\r\u2028\u202egnp.a", "\\x9b31m\\r\\u2028\\u202egnp.a"),
        (os.fsdecode(b"M\xfcller.png"), "M\\xfcller.png"),
        ("\ud800", "\\ud800"),
        (5, "5"),
    ],
)
def test_nothing_unprintable_is_left(text, shown):
    assert printable(text) == shown
    assert printable(text).isprintable()


def test_only_what_utf_8_lacks_is_changed_for_files():
    assert encodable("ä\n\x1b") == "ä\n\x1b"
    assert not is_encodable(os.fsdecode(b"M\xfc\nller"))
    assert encodable(os.fsdecode(b"M\xfc\nller")) == "M\\xfc\nller"
