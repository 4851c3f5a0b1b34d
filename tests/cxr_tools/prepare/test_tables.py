import pytest

from cxr_tools.prepare.tables import read_table, same_value


@pytest.mark.parametrize(
    ("cell", "value", "same"),
    [("1.0", 1, True), ("1", "1", True), ("-1", -1.0, True), ("Open", "open", True), ("", 0, False), ("a", 1, False)],
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
