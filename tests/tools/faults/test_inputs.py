from __future__ import annotations

import mmap
import multiprocessing
import os
import time

import pytest

from cxr_common.errors import InputError
from tools.faults import inputs
from tools.faults.readers import READERS, write_originals


def answer(path):
    """Stands for a reader: what the file holds decides."""
    words = path.read_text()
    if words == "refuse":
        raise InputError("no", path)
    if words == "raise":
        raise ZeroDivisionError
    if words == "die":
        os._exit(7)
    if words == "take":
        with mmap.mmap(-1, 50_000_000) as taken:  # not of malloc, which may keep what it is given back
            taken[:: mmap.PAGESIZE] = bytes(len(range(0, len(taken), mmap.PAGESIZE)))
    if words == "hang":
        time.sleep(60)


@pytest.fixture
def reader(monkeypatch):
    """A reader in a process that is forked, so that it has this test's `answer`."""
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr(inputs.multiprocessing, "get_context", lambda _: fork)
    monkeypatch.setattr(inputs, "READERS", {"text": answer})
    found = inputs._Reader()
    yield found
    found.close()


def test_each_end_of_a_reader_is_told_from_the_others(reader, tmp_path):
    outcomes = {}
    for words in ("fine", "refuse", "raise", "die", "hang", "fine"):
        (tmp_path / "file").write_text(words)
        outcome, _, _, said = reader.read("text", tmp_path / "file", patience=2.0)
        outcomes[words] = outcome, said
    assert outcomes["fine"] == ("read", "")
    assert outcomes["refuse"][0] == "refused" and outcomes["refuse"][1].endswith("no")
    assert outcomes["raise"] == ("crashed", "ZeroDivisionError: ")
    assert outcomes["die"] == ("crashed", "the process ended with status 7")
    assert outcomes["hang"][0] == "hung"


def test_memory_that_a_file_takes_counts_even_if_it_is_given_back(reader, tmp_path):
    grown = []
    for words in ("take", "fine", "take"):
        (tmp_path / "file").write_text(words)
        outcome, _, more, _ = reader.read("text", tmp_path / "file", patience=60.0)
        assert outcome == "read"
        grown.append(more)
    assert min(grown[0], grown[2]) > 45_000_000 and grown[1] < 5_000_000


def test_originals_are_readable_and_a_number_decides_a_changed_file(tmp_path):
    originals = write_originals(tmp_path / "data")
    assert originals.keys() == READERS.keys()
    for kind, paths in originals.items():
        for path in paths:
            READERS[kind](path)
    one = inputs.changed_file("PNG and JPEG", originals["PNG and JPEG"], seed=1, number=4)
    content = one.read_bytes()
    assert content != originals["PNG and JPEG"][1].read_bytes()
    again = inputs.changed_file("PNG and JPEG", originals["PNG and JPEG"], seed=1, number=4)
    assert (again, again.read_bytes()) == (one, content)


@pytest.mark.fault("files are changed at random", "each is read or refused in one line")
@pytest.mark.slow
def test_no_changed_file_is_more_than_refused():
    for case in inputs.fuzz_inputs(files=120, seed=3):
        assert case["read"] + case["refused"] == case["files"] == 20, case["failures"]
