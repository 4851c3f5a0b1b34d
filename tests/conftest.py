"""What all tests share: their part of the cores (set before torch is imported), and memory that is given back."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.memory import Memory

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
if WORKERS > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // WORKERS)))

MEMORY = Memory()
# How long an example takes says nothing where other work shares the cores.
settings.register_profile("any speed", deadline=None)
settings.load_profile("any speed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, None, None]:
    yield
    MEMORY.give_back()
    if complaint := MEMORY.complaint():
        pytest.fail(complaint, pytrace=False)
