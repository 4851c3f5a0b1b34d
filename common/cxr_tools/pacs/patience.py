"""Try again while a PACS cannot be reached or is overloaded."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import requests

from cxr_common.errors import InputError

T = TypeVar("T")
#: Answers that may be others a moment later.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0


class Unreachable(InputError):
    """The PACS did not answer within the given time; it may answer later."""


class NotAllowed(InputError):
    """The PACS wants another user, password or token, or its certificate is not trusted: nothing else would go on."""


def reason_of(error: requests.RequestException) -> str:
    """What went wrong, without addresses, which hold UIDs."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        code = error.response.status_code
        known = {status.value: status.phrase for status in HTTPStatus}
        return f"the PACS answered {code} ({known.get(code, 'unknown')})"
    if isinstance(error, requests.exceptions.SSLError):
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return "the PACS' certificate is not trusted" if untrusted else "no encrypted connection can be made"
    if isinstance(error, requests.Timeout):
        return "the PACS did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "the PACS cannot be reached"
    return f"the PACS' answer cannot be used ({type(error).__name__})"


def _passes(error: requests.RequestException) -> bool:
    if isinstance(error, requests.exceptions.SSLError):
        return False
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code in PASSING
    return isinstance(error, (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError))


def _is_about_us(error: requests.RequestException) -> bool:
    code = error.response.status_code if error.response is not None else 0
    return isinstance(error, requests.exceptions.SSLError) or code in (401, 407)


def _remedy(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "give the certificate that signs it to --ca, and its own host name in --url; or is it an http address?"
    actions = {401: "check user and password, or the token", 403: "ask for the right to do this"}
    return actions.get(error.response.status_code if error.response is not None else 0, "check --url and the PACS")


def patiently(call: Callable[[], T], patience: float, sleep: Callable[[float], None] = time.sleep) -> T:
    """Call, and call again with growing pauses while the PACS is away.

    Args:
        call: what to do.
        patience: seconds of pauses until one gives up.
        sleep: how to wait.

    Raises:
        Unreachable: it stayed away.
        InputError: it answered that this cannot be done.
    """
    waited, pause = 0.0, FIRST_WAIT
    while True:
        try:
            return call()
        except requests.RequestException as error:
            reason = reason_of(error)
            if not _passes(error):
                kind = NotAllowed if _is_about_us(error) else InputError
                raise kind(reason, "PACS", _remedy(error)) from None
            if waited >= patience:
                action = "run again when it is back: what is done is not done again"
                raise Unreachable(f"{reason} for {waited:.0f} s", "PACS", action) from None
        # Random, so that clients that lost the PACS at once do not come back at once.
        wait = min(pause * random.uniform(0.7, 1.3), max(patience - waited, 0.05))
        sleep(wait)
        waited, pause = waited + wait, min(2 * pause, LONGEST_WAIT)
