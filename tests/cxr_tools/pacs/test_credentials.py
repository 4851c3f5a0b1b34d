from __future__ import annotations

import sys
import types

import pytest
import requests

from cxr_common.errors import InputError
from cxr_tools.pacs.credentials import make_session

LOOPBACK = "http://127.0.0.1:8042/dicom-web"


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    for name in ("CXR_PACS_USER", "CXR_PACS_PASSWORD", "CXR_PACS_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def header(session, url=LOOPBACK):
    return session.prepare_request(requests.Request("GET", url)).headers.get("Authorization")


def test_nobody():
    assert header(make_session(LOOPBACK)) is None


def test_user_and_password(monkeypatch):
    monkeypatch.setenv("CXR_PACS_USER", "a")
    monkeypatch.setenv("CXR_PACS_PASSWORD", "b")
    assert header(make_session(LOOPBACK)) == "Basic YTpi"


def test_token_goes_first(monkeypatch):
    monkeypatch.setenv("CXR_PACS_USER", "a")
    monkeypatch.setenv("CXR_PACS_TOKEN", "t")
    assert header(make_session(LOOPBACK)) == "Bearer t"


def test_keyring(monkeypatch):
    monkeypatch.setenv("CXR_PACS_USER", "a")
    kept = types.SimpleNamespace(get_password=lambda service, user: {("cxr-bundles", "a"): "b"}[service, user])
    monkeypatch.setitem(sys.modules, "keyring", kept)
    assert header(make_session(LOOPBACK)) == "Basic YTpi"
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(InputError, match="CXR_PACS_PASSWORD"):
        make_session(LOOPBACK)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://a:b@127.0.0.1/dicom-web", "holds a user or password"),
        ("http://pacs.example/dicom-web", "unencrypted"),
        ("ftp://pacs.example", "not an http or https"),
        ("pacs.example", "not an http or https"),
        ("https://[::1", "not an http or https"),
    ],
)
def test_addresses(monkeypatch, url, said):
    monkeypatch.setenv("CXR_PACS_USER", "a")
    monkeypatch.setenv("CXR_PACS_PASSWORD", "secret-word")
    with pytest.raises(InputError, match=said) as raised:
        make_session(url)
    assert "secret-word" not in str(raised.value)


def test_environment_of_others_changes_nothing(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere:1")
    assert not make_session("https://pacs.example/dicom-web").trust_env
