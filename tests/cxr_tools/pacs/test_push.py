"""Results that a destination refuses, or lets nobody send, still wait; no PACS is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cxr_common.errors import InputError
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.patience import NotAllowed
from cxr_tools.pacs.push import push


class Pacs:
    """Keeps what it is sent; raises `error` for the names in `refused`."""

    def __init__(self, error=None, refused=()):
        self.error, self.refused, self.kept = error, refused, []

    def store(self, files):
        for file in files:
            if file.name in self.refused:
                raise self.error
            self.kept.append(file.name)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path)
    for uid in ("1", "2"):
        files = [tmp_path / f"{uid}{kind}" for kind in "abc"]
        for file in files:
            file.touch()
        ledger.add(uid, "1", "1", "here")
        ledger.inferred(uid, files)
    return ledger


def test_a_wrong_password_loses_nothing(ledger):
    error = NotAllowed("the PACS answered 401", "PACS", "check the password")
    with pytest.raises(NotAllowed):
        push(Pacs(error, ("1a", "2a")), ledger)
    right = Pacs()
    push(right, ledger)
    assert right.kept == ["1a", "1b", "1c", "2a", "2b", "2c"]
    assert ledger.summary() == "2 pushed"


def test_one_refused_result_does_not_hold_back_the_others(ledger):
    error = InputError("the PACS takes no results of kind SEG", "PACS", "")
    first = Pacs(error, ("1b",))
    push(first, ledger)
    assert first.kept == ["1a", "1c", "2a", "2b", "2c"]
    (failed,) = ledger.entries(("failed",))
    assert (failed.instance, failed.error) == ("1", error.reason)
    second = Pacs()
    push(second, ledger)
    assert second.kept == []  # not every few seconds
    push(second, ledger, again=True)
    assert second.kept == ["1b"]
    assert ledger.summary() == "2 pushed"


def test_results_that_are_gone_are_made_again(ledger, tmp_path):
    Path(tmp_path / "1b").unlink()
    push(Pacs(), ledger)
    assert {entry.instance: entry.state for entry in ledger.entries()} == {"1": "here", "2": "pushed"}
