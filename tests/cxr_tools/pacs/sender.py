"""Sends files to the receiver in a process of its own, again and again until all are confirmed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cxr_tools.pacs.test_listen import send_all

if __name__ == "__main__":
    send_all([Path(name) for name in sys.argv[2:]], int(sys.argv[1]))
