"""The receiver with a sender of pynetdicom's; no PACS is needed."""

from __future__ import annotations

import socket
import threading

import pydicom
import pytest
from pydicom.uid import generate_uid
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES

from cxr_common.errors import InputError
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.receiver import DUPLICATE, OUT_OF_RESOURCES, SUCCESS, Limits, Receiver, callers_of
from tests.dicom_results import CR, write_source
from tests.image_files import JPEG_2000_LOSSLESS


@pytest.fixture
def receiver(tmp_path):
    made = []

    def make(limits=None):
        limits = limits or Limits(free_megabytes=0)
        made.append(Receiver(Ledger(tmp_path / "work"), tmp_path / "work", "US", "127.0.0.1", 0, limits))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.stop()


def association(receiver, caller="THEM", called="US"):
    entity = AE(ae_title=caller)
    entity.add_requested_context(CR, ALL_TRANSFER_SYNTAXES[:1] + [JPEG_2000_LOSSLESS])
    for syntax in ("1.2.840.10008.1.2.1", JPEG_2000_LOSSLESS):
        entity.add_requested_context(CR, syntax)
    return entity.associate("127.0.0.1", receiver.port, ae_title=called)


def send(receiver, path, **who):
    sender = association(receiver, **who)
    assert sender.is_established
    status = sender.send_c_store(pydicom.dcmread(path))
    sender.release()
    return status.get("Status")


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", JPEG_2000_LOSSLESS])
def test_what_is_confirmed_is_written_and_noted(receiver, tmp_path, syntax):
    listening = receiver()
    path = write_source(tmp_path / "a.dcm", syntax=syntax)
    assert send(listening, path) == SUCCESS
    (entry,) = Ledger(tmp_path / "work").entries()
    assert entry.state == "here"
    assert listening.arrived.is_set()
    (file,) = (tmp_path / "work" / "images").iterdir()
    assert file.name == f"{entry.name}.dcm"
    assert pydicom.dcmread(file) == pydicom.dcmread(path)
    assert send(listening, path) == SUCCESS  # sent again, it is there once
    assert len(Ledger(tmp_path / "work").entries()) == 1


@pytest.mark.parametrize("state", ["here", "inferred", "pushed", "failed"])
def test_other_pixels_under_the_same_uid(receiver, tmp_path, state):
    """The first copy, which the results are of, stays; the sender is told."""
    listening = receiver()
    path = write_source(tmp_path / "a.dcm")
    assert send(listening, path) == SUCCESS
    ledger = Ledger(tmp_path / "work")
    (entry,) = ledger.entries()
    ledger.note(entry.instance, state)
    other = pydicom.dcmread(path)
    other.PixelData = bytes(len(other.PixelData))
    other.save_as(tmp_path / "b.dcm")
    assert send(listening, tmp_path / "b.dcm") == DUPLICATE
    (file,) = (tmp_path / "work" / "images").iterdir()
    assert pydicom.dcmread(file).PixelData == pydicom.dcmread(path).PixelData
    other = pydicom.dcmread(path)
    other.InstitutionName = "a router's"
    other.save_as(tmp_path / "c.dcm")
    assert send(listening, tmp_path / "c.dcm") == SUCCESS
    assert [one.state for one in ledger.entries()] == [state]


def test_a_better_copy_of_a_refused_one_is_taken(receiver, tmp_path):
    listening = receiver()
    path = write_source(tmp_path / "a.dcm")
    broken = pydicom.dcmread(path)
    broken.PixelData = broken.PixelData[:10]
    broken.save_as(tmp_path / "b.dcm")
    assert send(listening, tmp_path / "b.dcm") == SUCCESS
    ledger = Ledger(tmp_path / "work")
    (entry,) = ledger.entries()
    ledger.note(entry.instance, "refused", "it is cut off")
    assert send(listening, path) == SUCCESS
    assert [one.state for one in ledger.entries()] == ["here"]
    (file,) = (tmp_path / "work" / "images").iterdir()
    assert pydicom.dcmread(file).PixelData == pydicom.dcmread(path).PixelData


def test_unknown_callers_are_refused(receiver):
    listening = receiver(Limits(callers=("FRIEND",), free_megabytes=0))
    assert association(listening, caller="STRANGER").is_rejected
    assert association(listening, caller="FRIEND").is_established
    assert association(listening, caller="FRIEND", called="OTHER").is_rejected


def test_too_many_callers(receiver):
    listening = receiver(Limits(associations=2, free_megabytes=0))
    held = [association(listening) for _ in range(2)]
    assert all(one.is_established for one in held)
    assert not association(listening).is_established
    held[0].release()


def test_too_large(receiver, tmp_path):
    listening = receiver(Limits(megabytes=1, free_megabytes=0))
    path = write_source(tmp_path / "a.dcm", rows=900, columns=900)
    assert send(listening, path) in (OUT_OF_RESOURCES, None)
    assert Ledger(tmp_path / "work").entries() == []


def test_far_too_large_is_cut_off(receiver, tmp_path):
    """Before it is all in memory."""
    listening = receiver(Limits(megabytes=1, free_megabytes=0))
    path = write_source(tmp_path / "a.dcm", rows=3000, columns=3000)
    assert send(listening, path) is None
    assert Ledger(tmp_path / "work").entries() == []
    assert send(listening, write_source(tmp_path / "b.dcm")) == SUCCESS


def test_full_disk(receiver, tmp_path, monkeypatch):
    listening = receiver()
    monkeypatch.setattr(
        "cxr_tools.pacs.receiver._write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    assert send(listening, write_source(tmp_path / "a.dcm")) == OUT_OF_RESOURCES
    assert Ledger(tmp_path / "work").entries() == []
    monkeypatch.undo()
    assert send(listening, write_source(tmp_path / "a.dcm")) == SUCCESS


def test_no_room_is_kept(receiver, tmp_path):
    listening = receiver(Limits(free_megabytes=1 << 40))
    assert send(listening, write_source(tmp_path / "a.dcm")) == OUT_OF_RESOURCES


def test_rubbish_on_the_port(receiver, tmp_path):
    listening = receiver()
    with socket.create_connection(("127.0.0.1", listening.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
    assert send(listening, write_source(tmp_path / "a.dcm")) == SUCCESS


def test_many_at_once(receiver, tmp_path):
    listening = receiver()
    paths = [write_source(tmp_path / f"{n}.dcm", SOPInstanceUID=generate_uid()) for n in range(24)]

    def send_part(part):
        for path in part:
            send(listening, path)

    threads = [threading.Thread(target=send_part, args=(paths[n::6],)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Ledger(tmp_path / "work").entries(("here",))) == 24


def test_port_taken(receiver, tmp_path):
    listening = receiver()
    second = Receiver(Ledger(tmp_path / "b"), tmp_path / "b", "US", "127.0.0.1", listening.port, Limits())
    with pytest.raises(InputError, match="cannot be listened on"):
        second.start()


def test_callers():
    assert callers_of("A, B ,") == ("A", "B")
    with pytest.raises(InputError):
        callers_of("A" * 17)
