from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cxr_common.errors import InputError
from cxr_tools.pacs.ledger import Ledger


def test_what_is_noted_survives(tmp_path):
    ledger = Ledger(tmp_path)
    assert ledger.add("1.2", "1.1", "1.0")
    assert not ledger.add("1.2", "1.1", "1.0", "here")
    ledger.note("1.2", "here")
    ledger.inferred("1.2", [Path("a"), Path("b")])
    ledger.pushed(Path("a"))
    again = Ledger(tmp_path)  # the first is still open, as after a kill
    (entry,) = again.entries()
    assert (entry.instance, entry.series, entry.study, entry.state) == ("1.2", "1.1", "1.0", "inferred")
    assert again.waiting_results("1.2") == [Path("b")]
    assert again.summary() == "1 inferred"


def test_inferred_again_what_was_pushed_stays_so(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.add("1.2", "1.1", "1.0", "here")
    ledger.inferred("1.2", [Path("a"), Path("b")])
    ledger.pushed(Path("a"))
    ledger.inferred("1.2", [Path("c")])
    assert ledger.waiting_results("1.2") == [Path("c")]


def test_names_are_the_same_in_a_ledger_and_others_in_another(tmp_path):
    first, other = Ledger(tmp_path / "a"), Ledger(tmp_path / "b")
    assert first.name("1.2.3") == Ledger(tmp_path / "a").name("1.2.3") != other.name("1.2.3")
    assert "1.2.3" not in first.name("1.2.3")


def test_the_longest_waiting_goes_first(tmp_path):
    ledger = Ledger(tmp_path)
    for uid in ("1.3", "1.1", "1.2"):
        ledger.add(uid, "1", "1", "here")
    ledger.note("1.3", "here")
    assert [entry.instance for entry in ledger.entries(("here",), 2)] == ["1.1", "1.2"]


def test_no_ledger(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all, but long enough to be read as one" * 40)
    with pytest.raises(InputError, match="cannot be opened"):
        Ledger(tmp_path)


def test_another_bundle_is_refused(tmp_path):
    Ledger(tmp_path).belongs_to("pylon 1")
    Ledger(tmp_path).belongs_to("pylon 1")
    with pytest.raises(InputError, match="of pylon 1, not of pylon 2"):
        Ledger(tmp_path).belongs_to("pylon 2")


def test_another_version_is_refused(tmp_path):
    Ledger(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="version 99"):
        Ledger(tmp_path)


def test_damaged_later(tmp_path):
    ledger = Ledger(tmp_path)
    ledger._connection.execute("DROP TABLE instances")
    for ask in (ledger.entries, ledger.counts, lambda: ledger.state("1")):
        with pytest.raises(InputError, match="read or written"):
            ask()
