"""A PACS behind an encrypted address, by password and by token."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from cxr_tools.pacs.__main__ import main
from tests.cxr_tools.pacs.orthanc import PASSWORD, USER, free_port, needs_orthanc
from tests.dicom_results import write_source

pytestmark = [
    pytest.mark.pacs,
    needs_orthanc,
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl, which makes the certificate, is not installed"),
]
TOKEN = "a.b.c"


@pytest.fixture
def certificate(tmp_path):
    """Key and certificate of 127.0.0.1, which signs itself, in one PEM file."""
    key, signed, both = tmp_path / "key.pem", tmp_path / "signed.pem", tmp_path / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(signed)]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(key.read_text() + signed.read_text())
    return both


def pull(url, work, *more):
    return main(["pull", "--url", url, "--work", str(work), "--patience", "5", *more])


@pytest.mark.parametrize(("password", "status"), [(PASSWORD, 0), ("another", 1)])
def test_password(orthanc, gate, certificate, tmp_path, monkeypatch, password, status):
    monkeypatch.setenv("CXR_PACS_PASSWORD", password)
    orthanc.put(write_source(tmp_path / "a.dcm"))
    assert pull(gate, tmp_path / "work", "--ca", str(certificate)) == status
    assert len(list((tmp_path / "work").glob("images/*.dcm"))) == 1 - status


def test_an_unknown_certificate_is_refused(gate, tmp_path, capsys):
    assert pull(gate, tmp_path / "work") == 1
    said = capsys.readouterr().err
    assert "certificate is not trusted; give the certificate that signs it to --ca" in said
    assert PASSWORD not in said


def test_https_asked_of_an_http_address(orthanc, tmp_path, capsys):
    assert pull(orthanc.url.replace("http:", "https:"), tmp_path / "work") == 1
    assert "no encrypted connection can be made" in capsys.readouterr().err


@pytest.fixture
def gate(orthanc, certificate):
    """An https address before Orthanc that lets pass whoever has the token or the password, as hospitals' gateways do.

    Debian's Orthanc 1.10.1 itself ends with a segmentation fault at the first https request.
    """
    known = {f"Bearer {TOKEN}", requests.auth._basic_auth_str(USER, PASSWORD)}

    class Gate(BaseHTTPRequestHandler):
        def answer(self):
            if self.headers.get("Authorization") not in known:
                self.send_error(401)
                return
            address = f"http://127.0.0.1:{orthanc.port}{self.path}"
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            passed = {name: self.headers[name] for name in ("Accept", "Content-Type") if self.headers[name]}
            found = requests.request(
                self.command, address, data=body, headers=passed, auth=(USER, PASSWORD), timeout=30
            )
            self.send_response(found.status_code)
            self.send_header("Content-Type", found.headers.get("Content-Type", "application/dicom+json"))
            self.send_header("Content-Length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Gate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/dicom-web"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("token", "status"), [(TOKEN, 0), ("another", 1)])
def test_token(orthanc, gate, certificate, tmp_path, monkeypatch, capsys, token, status):
    orthanc.put(write_source(tmp_path / "a.dcm"))
    monkeypatch.setenv("CXR_PACS_TOKEN", token)
    assert pull(gate, tmp_path / "work", "--ca", str(certificate)) == status
    assert len(list((tmp_path / "work").glob("images/*.dcm"))) == 1 - status
    said = capsys.readouterr().err
    assert ("401" in said) == bool(status)
    assert token not in said
