from __future__ import annotations

from tools.bundles import reference
from tools.bundles.reference import Option, read_options

TEXT = """about: all
# --- how -----
seed: 0      # of the order
weights: null  # a file,
               # or another one
plain: [1, 2]
network:     # a part of its own
  inner: 3   # no option of the top level
# a remark about the next
made: '$@seed + 1'
"""


def test_options_stand_by_section_with_their_comments():
    assert read_options(TEXT) == {
        "": [Option("about", "all", "")],
        "how": [
            Option("seed", "0", "of the order"),
            Option("weights", "null", "a file, or another one"),
            Option("plain", "[1, 2]", ""),
        ],
    }


def test_the_page_is_what_the_configs_say():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "run `make bundles`"


def test_a_table_has_one_line_per_option():
    """A bar in a comment would end the cell, an overlay says no more than what it changes."""
    text = reference._table([Option("a", "1", "x | y"), Option("b", "2", "")], {"b": "known"})
    assert text.splitlines()[2:] == [r"| `a` | `1` | x \| y |", "| `b` | `2` | known |"]
