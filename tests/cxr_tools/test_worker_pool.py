from __future__ import annotations

import signal
import subprocess
import sys

from cxr_tools.worker_pool import worker_pool

PARENT = """
import time
from cxr_tools.worker_pool import worker_pool

def wait(seconds):
    time.sleep(seconds)

if __name__ == "__main__":
    with worker_pool(2) as pool:
        list(pool.map(wait, [0.1] * 4))
        print("both work", flush=True)
        time.sleep(600)
"""


def successor(value: int) -> int:
    return value + 1


def test_it_is_a_pool():
    with worker_pool(2) as pool:
        assert list(pool.map(successor, range(5))) == [1, 2, 3, 4, 5]


def test_workers_end_with_who_started_them():
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "both work\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)  # returns when nobody holds the pipe any more
