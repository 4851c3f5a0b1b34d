"""Who we are to a PACS: from the environment or the system's keyring, never from the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from cxr_common.errors import InputError

USER, PASSWORD, TOKEN = "CXR_PACS_USER", "CXR_PACS_PASSWORD", "CXR_PACS_TOKEN"
KEYRING_SERVICE = "cxr-bundles"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class _WithTimeout(requests.adapters.HTTPAdapter):
    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        options["timeout"] = options.get("timeout") or (10, 120)
        return super().send(request, **options)


def make_session(url: str, ca: Path | None = None) -> requests.Session:
    """A session for a PACS' address.

    A token of ``CXR_PACS_TOKEN`` goes first, then user and password of ``CXR_PACS_USER`` and ``CXR_PACS_PASSWORD``,
    then, where only the user is given, the password that the system's keyring has for it in the service "cxr-bundles".

    Args:
        url: of the DICOMweb service.
        ca: certificate that the PACS' own is signed by, where the system does not know it.

    Raises:
        InputError: the address is none, holds a password, or would carry one over the network unencrypted.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket of an IPv6 address is missing
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("is not an http or https address", "--url", "give it as https://HOST/dicom-web")
    if parts.username or parts.password:
        raise InputError("holds a user or password", "--url", f"give them by {USER} and {PASSWORD}")
    if ca is not None and not ca.is_file():
        raise InputError("there is no such file", ca, "give the certificate as a PEM file to --ca")
    session = requests.Session()
    session.trust_env = False  # neither .netrc nor proxies: what is sent where is said here alone
    session.verify = str(ca) if ca else True
    session.mount("http://", _WithTimeout())
    session.mount("https://", _WithTimeout())
    session.auth = _auth()
    if session.auth is not None and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise InputError("would send the password unencrypted", "--url", "use an https address")
    return session


def _auth() -> requests.auth.AuthBase | tuple[str, str] | None:
    token, user, password = (os.environ.get(name) for name in (TOKEN, USER, PASSWORD))
    if token:
        return _Bearer(token)
    if not user:
        return None
    if password is None:
        password = _from_keyring(user)
    return (user, password)


def _from_keyring(user: str) -> str:
    action = f"set {PASSWORD}, or run: keyring set {KEYRING_SERVICE} {user}"
    try:
        import keyring

        password = keyring.get_password(KEYRING_SERVICE, user)
    except Exception as error:  # no keyring installed, none that works here, locked
        raise InputError(f"no keyring can be read ({type(error).__name__})", USER, action) from None
    if password is None:
        raise InputError("the keyring has no password for this user", USER, action)
    return password
