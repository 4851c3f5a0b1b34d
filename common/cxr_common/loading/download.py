"""A file from an address, which counts only if it has the right hash."""

from __future__ import annotations

import hashlib
import http.client
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxr_common.errors import InputError

#: Seconds that a server may be silent.
PATIENCE = 60.0
_CHUNK = 1 << 20


def checked_sha256(url: str, sha256: str) -> str:
    """A SHA-256 in lower case.

    Raises:
        InputError: it is none, or the address is not one of http or https.
    """
    if not re.match(r"https?://", url):
        raise InputError("is not an http or https address", url, "give https://HOST/NAME.zip")
    action = "give the 64 digits that its publisher's SHA256SUMS has"
    if not sha256:
        raise InputError("comes without its SHA-256", url, action)
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", sha256):
        raise InputError(f"comes with {sha256!r}, which is no SHA-256", url, action)
    return sha256.lower()


@contextmanager
def new_file(folder: Path) -> Iterator[Path]:
    """A name for a temporary file in a folder, which is made where missing; the file is removed at the end.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".get-") as inner:
            yield Path(inner) / "file"
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror or error})", folder, "check space and rights") from error


def download(url: str, path: Path, sha256: str, largest: int) -> None:
    """Fetch a file.

    Args:
        url: http or https address.
        path: where it goes.
        sha256: the hash that it must have.
        largest: bytes that it may have.

    Raises:
        InputError: the server does not give it, it is cut off, too large, or has another hash.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer, open(path, "wb") as file:
            promised = answer.headers.get("Content-Length")
            while chunk := answer.read(_CHUNK):
                size += len(chunk)
                if size > largest:
                    raise InputError(f"has more than {largest} bytes", url, "name the zip of one bundle")
                digest.update(chunk)
                file.write(chunk)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot be fetched ({error})", url, "check address and network") from error
    if promised is not None and size != int(promised):
        raise InputError(f"was cut off: {size} of {promised} bytes came", url, "try again")
    if digest.hexdigest() != sha256:
        raise InputError(f"has another SHA-256, {digest.hexdigest()}", url, "do not use it; ask its publisher")
