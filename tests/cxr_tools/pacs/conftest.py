from __future__ import annotations

import pytest

from tests.cxr_tools.pacs.orthanc import PASSWORD, USER, Orthanc


@pytest.fixture
def orthanc(tmp_path, monkeypatch):
    """A PACS that runs, and the environment with the password for it."""
    monkeypatch.setenv("CXR_PACS_USER", USER)
    monkeypatch.setenv("CXR_PACS_PASSWORD", PASSWORD)
    server = Orthanc(tmp_path / "orthanc")
    server.start()
    yield server
    server.stop()
