import os

import pytest

from cxr_common.errors import InputError
from cxr_tools.prepare.tables import read_table, same_value


@pytest.mark.parametrize(
    ("cell", "value", "same"),
    [
        ("1.0", 1, True),
        ("1", "1", True),
        ("-1", -1.0, True),
        ("Open", "open", True),
        ("", 0, False),
        ("a", 1, False),
        ("Yes", True, True),
        ("no", False, True),
        ("no", True, False),
        ("1", True, True),
    ],
)
def test_same_value(cell, value, same):
    assert same_value(cell, value) is same


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_mark_quotes_and_lines(tmp_path, delimiter):
    path = tmp_path / "t.csv"
    text = delimiter.join(("name ", "note")) + "\r\n" + delimiter.join((" é", '"two\nlines"')) + "\r\n\r\n"
    path.write_text(text + delimiter.join("xy"), encoding="utf-8-sig")
    first, second = read_table(path)
    assert first.cells == {"name": "é", "note": "two\nlines"} and second.cells == {"name": "x", "note": "y"}
    assert (first.line, second.line) == (3, 5)


OPEN = 'file,label,note\na.png,1,"long\nb.png,0,x\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (OPEN, 2),  # b.png would be part of a note
        (OPEN + 'c.png,1,"y"\n', 2),
        (OPEN + "b.png,0,x\n" * 100_000, 2),
        ('"file,label\na.png,1\n', 1),
        ('file,label\na.png,1\nb.png,"1" 2\n', 3),
    ],
    ids=["open", "closed later", "long", "header", "after"],
)
def test_a_quote_that_never_ends_takes_no_rows(tmp_path, text, line):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=f"t.csv line {line}: not a table.*end each quote"):
        read_table(tmp_path / "t.csv")


def test_a_header_of_two_lines(tmp_path):
    (tmp_path / "t.csv").write_text('file,"of\nlabel"\na.png,1\n')
    (row,) = read_table(tmp_path / "t.csv")
    assert row.cells == {"file": "a.png", "of\nlabel": "1"}
    assert row.line == 3


@pytest.mark.parametrize("content", [b"file,label\na\0.png,1\n", "file,label\na,1\n".encode("utf-16-le"), bytes(900)])
def test_bytes_that_are_no_text(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"NUL bytes, .*; save it as csv, UTF-8"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("lead", ["", "\n\n", "sep=;\n", "SEP=;\r\n \n"])
def test_what_stands_before_the_header(tmp_path, lead):
    (tmp_path / "t.csv").write_text(lead + "file;note\na.png;x,y\n", newline="")
    (row,) = read_table(tmp_path / "t.csv")
    assert row.cells == {"file": "a.png", "note": "x,y"}
    assert row.line == 2 + lead.count("\n")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(InputError, match="not an ordinary file"):
        read_table(tmp_path / "t.csv")
