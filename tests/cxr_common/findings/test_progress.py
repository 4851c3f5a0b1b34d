import io
import sys
from types import SimpleNamespace

from cxr_common.findings.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, stream, loader):
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress()
    progress.start(loader)
    progress.show(2)
    progress._bar.refresh()
    text = stream.getvalue()
    progress.stop()
    progress.show(3)  # of an item that is written by hand after the run
    return text


def test_a_terminal_sees_images_per_second_and_the_time_left(monkeypatch):
    text = shown(monkeypatch, Terminal(), SimpleNamespace(remaining=range(4)))
    assert " 50%" in text and "2/4" in text and "image/s" in text


def test_a_loader_that_does_not_know_its_number_is_counted(monkeypatch):
    assert "2image" in shown(monkeypatch, Terminal(), None)


def test_nothing_is_written_where_no_person_looks_on(monkeypatch):
    assert shown(monkeypatch, io.StringIO(), SimpleNamespace(remaining=range(4))) == ""
