"""Watches what code does that a bundle has no reason to do, by Python's audit events, and keeps it off the network."""

from __future__ import annotations

import os
import sys
from typing import Any

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
_COMMANDS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")

events: list[tuple[str, str]] = []
"""Kind (`network`, `command`, `pickle`) and what was tried, of events so far that a file of the bundle caused."""


def install(root: str) -> None:
    """Watch this process from now on; connections to other machines raise `PermissionError`."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ[name] = "1"

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK:
            address = arguments[1] if event == "socket.connect" else arguments[0]
            if isinstance(address, str | bytes) and event == "socket.connect":  # a socket of this machine
                return
            events.append(("network", str(address)))
            raise PermissionError(f"network access was refused ({address})")
        if event in _COMMANDS and _caused_by(root):
            events.append(("command", str(arguments[0])))
        elif event == "pickle.find_class" and _caused_by(root):
            events.append(("pickle", f"{arguments[0]}.{arguments[1]}"))

    sys.addaudithook(hook)


def _caused_by(root: str) -> bool:
    """Whether a file of the bundle stands behind this, not merely behind the import of a library that does it."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(root + os.sep):
            return True
        if "importlib" in name:
            return False
        frame = frame.f_back  # type: ignore[assignment]
    return False
