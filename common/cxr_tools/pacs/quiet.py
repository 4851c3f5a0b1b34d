"""Nobody's identity on a terminal or in a log: what libraries say, and how instances are called."""

from __future__ import annotations

import hashlib
import hmac
import logging

#: Their messages hold UIDs, names and addresses with both.
_TALKATIVE = ("dicomweb_client", "pynetdicom", "urllib3", "requests", "pydicom", "highdicom")


def quiet_libraries() -> None:
    """Let the libraries that handle patients' data log nothing."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)


def alias(uid: str, key: bytes) -> str:
    """What an instance or study is called where others read: in file names, on the terminal, in logs.

    Args:
        uid: its UID.
        key: of the ledger; without it nobody can tell which UID an alias is of.

    Example:
        >>> alias("1.2.3", b"key") == alias("1.2.3", b"key") != alias("1.2.3", b"other")
        True
    """
    return "x" + hmac.new(key, uid.encode(), hashlib.sha256).hexdigest()[:15]
