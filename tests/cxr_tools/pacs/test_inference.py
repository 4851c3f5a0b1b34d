"""What becomes of instances by what a bundle says of them; no bundle is needed."""

from __future__ import annotations

import pytest

from cxr_common.errors import InputError
from cxr_common.findings.case_job import not_written
from cxr_tools.pacs import inference
from cxr_tools.pacs.inference import infer_batch
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.pull import image_path


@pytest.fixture
def here(tmp_path):
    """A ledger with three instances whose images are in the work folder."""
    ledger = Ledger(tmp_path)
    for uid in "123":
        ledger.add(uid, "1", "1", "here")
    for entry in ledger.entries():
        path = image_path(tmp_path, entry)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return ledger


def infer(ledger, work, monkeypatch, images=(), failures=()):
    record = {
        "images": [{"path": f"{entry.name}.dcm", "files": {"dicom_sr": f"{entry.name}_sr.dcm"}} for entry in images],
        "failures": [{"path": f"{e.name}.dcm", "reason": f.reason, "action": f.action} for e, f in failures],
    }
    monkeypatch.setattr(inference, "read_findings", lambda _: record)
    infer_batch(lambda _, __: None, ledger, work, ledger.entries(("here",)))


def test_a_full_disk_refuses_no_instance(here, tmp_path, monkeypatch):
    full = not_written("a.dcm", OSError(28, "No space left on device"), tmp_path).failure
    broken = not_written("a.dcm", TypeError("of our own"), tmp_path).failure
    one, two, three = here.entries()
    with pytest.raises(InputError, match="No space left on device.*make room"):
        infer(here, tmp_path, monkeypatch, [one], [(two, full), (three, broken)])
    assert here.counts() == {"here": 1, "inferred": 1, "refused": 1}
    assert here.state(two.instance) == "here"
    with pytest.raises(InputError, match="No space left"):
        infer(here, tmp_path, monkeypatch, failures=[(two, full)])
    results = [path for path in (tmp_path / "results").iterdir() if path.is_dir()]
    assert len(results) == 1  # of the first batch, whose results wait; nothing is left of the second
    infer(here, tmp_path, monkeypatch, [two])
    assert here.counts() == {"inferred": 2, "refused": 1}


def test_what_the_system_says_is_told_without_the_text_of_a_library(tmp_path):
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise OSError("With tag (7FE0,0010) got exception\nTraceback ...") from error
    except OSError as error:
        failure = not_written("a.dcm", error, tmp_path).failure
    assert failure.reason == "results cannot be written (No space left on device)"
    assert "check space and rights" in failure.action
