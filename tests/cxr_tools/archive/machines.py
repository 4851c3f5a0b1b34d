"""Two machines inside this one: each has a network address, a process list and a /tmp/ray of its own (Linux, root)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

BRIDGE = "cxrtest"
#: Network namespace -> its address.
MACHINES = {f"{BRIDGE}{number}": f"10.213.77.{number}" for number in (1, 2)}
#: Slurm's srun: the same command on each machine; it fails if one of them fails.
SRUN = """#!/bin/bash
for machine in {names}; do
    mkdir -p {folder}/$machine
    ip netns exec $machine unshare --mount --pid --fork --kill-child --mount-proc \\
        bash -c 'mount --bind "$0" /tmp/ray && "$@"' {folder}/$machine "$@" &
    jobs+=($!)
done
for job in "${{jobs[@]}}"; do wait "$job" || exit 1; done
"""
needs_machines = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare"))),
    reason="makes machines out of network namespaces, which takes root and iproute2",
)


@contextmanager
def srun_on(folder) -> Iterator[str]:
    """The machines while the context lasts; gives the text of an srun for them.

    Args:
        folder: where each machine's /tmp/ray lies.
    """
    os.makedirs("/tmp/ray", exist_ok=True)
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("link", "set", BRIDGE, "up")
        for name, address in MACHINES.items():
            _ip("netns", "add", name)
            _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", name, "master", BRIDGE, "up")
            for words in ("link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up"):
                _ip("-n", name, *words.split())
        yield SRUN.format(names=" ".join(MACHINES), folder=folder)
    finally:
        for name in MACHINES:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True, check=False)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no network namespaces here: {done.stderr.strip()}")
