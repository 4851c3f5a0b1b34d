"""Ray Data: three steps on as many processes as there are. No other module knows Ray."""

from __future__ import annotations

import io
import logging
import os
import pickle
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import date
from typing import Any

import pyarrow as pa
import ray
import ray.data

from cxr_common.errors import InputError
from cxr_tools.archive import worker
from cxr_tools.archive.parts import Part

#: Images that one task reads; less where there are few, so that every process has some.
_MOST_OF_A_TASK = 64
#: Bytes of memory that Ray keeps for images between two steps, where it runs on this machine alone.
_BETWEEN = 1 << 30
#: Seconds within which the head of a cluster takes a connection.
_PATIENCE = 10
#: Bytes that a process with a network holds at least.
_OF_NETWORK = 512 << 20


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Join the cluster of an address, or start Ray on this machine alone; it is left, or stopped, at the end.

    Within a cluster, as :func:`elsewhere` runs work, there is nothing to do.

    Raises:
        InputError: there is no such cluster.
    """
    if ray.is_initialized():
        yield
        return
    if address:
        _check_answers(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anyone
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of what Ray Data does in any case
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            ray.init(address, **options)
        else:
            # Whoever reaches Ray can run code: nobody else on the network does.
            alone = {"_node_ip_address": "127.0.0.1", "include_dashboard": False}
            _start(options | alone | {"object_store_memory": _BETWEEN})
    except Exception as error:  # Ray raises that very class too
        reason = f"Ray does not answer there ({str(error).strip().splitlines()[0]})"
        action = "start a cluster by: ray start --head" if address else "run again when the machine is less busy"
        raise InputError(reason, f"--address {address}" if address else "this machine", action) from None
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Refuse an address where nothing listens, for which Ray would wait some minutes."""
    found = re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:([0-9]{1,5})", address)
    if found is None:  # such as "auto": Ray's own words
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=_PATIENCE).close()
    except (OSError, OverflowError, UnicodeError) as error:
        reason = f"nothing answers there ({getattr(error, 'strerror', None) or error})"
        raise InputError(reason, f"--address {address}", "start a cluster by: ray start --head") from None


def _start(options: dict[str, Any]) -> None:
    """Start Ray here. Its helpers have 15 seconds to come up; on a busy machine the second time they do."""
    try:
        ray.init("local", **options)
    except Exception:
        ray.init("local", **options)


def elsewhere(address: str, work: Callable[[], int]) -> int:
    """Do work in a cluster that is reached by ``ray://``, show what it prints, and return what it returns.

    Raises:
        InputError: the work's own, or there is no such cluster.
    """
    with connected(address):
        status, printed, error = ray.get(ray.remote(num_cpus=0)(_captured).remote(work))
    print(printed, end="")
    if error is not None:
        raise error
    return int(status)


def _captured(work: Callable[[], int]) -> tuple[int, str, InputError | None]:
    printed = io.StringIO()
    with redirect_stdout(printed):
        try:
            return work(), printed.getvalue(), None
        except InputError as error:
            return 1, printed.getvalue(), error


def dates(job: worker.Job, images: Sequence[str]) -> list[tuple[str, date | None]]:
    """Study dates of images, in their order.

    Raises:
        InputError: a PACS does not give one, or a process was lost.
    """
    found = dict(_rows(_blocks([(0, image) for image in images]).map(_date, fn_args=(job,))))
    if missing := len(images) - len(found):
        raise InputError(f"study dates of {missing} images cannot be asked for", "--partition", "run again, or by hash")
    return [(image, found[image]) for image in images]


def results(job: worker.Job, parts: Sequence[Part], batch: int, networks: int | None, cores: int) -> Iterator[Any]:
    """What becomes of the images of parts, in any order.

    Args:
        job: what to do.
        parts: of the archive.
        batch: images that a network takes at a time.
        networks: processes that run it at most; None is one for each GPU, or for half of the cores.
        cores: that each of these has.

    Yields:
        Number of the part, and what :func:`cxr_tools.archive.worker.conclude` gives.
    """
    cpus, gpus = (int(ray.cluster_resources().get(name, 0)) for name in ("CPU", "GPU"))
    most = networks or gpus or max(1, cpus // (2 * cores))
    rows = (
        _blocks([(number, image) for number, part in enumerate(parts) for image in part.images])
        .map(_read, fn_args=(job,))
        .map_batches(
            _Network,
            fn_constructor_args=(job, "cuda" if gpus else "cpu"),
            batch_size=batch,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most),
            num_cpus=min(cores, max(0, cpus - 1)),
            num_gpus=min(gpus, 1),
            memory=_OF_NETWORK,  # two steps that need the same would share a process
        )
        .map(_conclude, fn_args=(job,))
    )
    yield from _rows(rows)


def _blocks(rows: Sequence[tuple[int, Any]]) -> Any:
    """Numbers with anything that can be pickled, in blocks, each of which is a task."""
    cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
    size = min(_MOST_OF_A_TASK, -(-len(rows) // (4 * cpus)))
    blocks = [rows[start : start + size] for start in range(0, len(rows), size)]
    return ray.data.from_arrow(
        [
            pa.table({"part": [number for number, _ in block], "data": [pickle.dumps(value) for _, value in block]})
            for block in blocks
        ]
    )


def _rows(data: Any) -> Iterator[Any]:
    data.context.enable_progress_bars = False
    data.context.max_errored_blocks = -1  # what a lost process took with it is done by the next run
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    try:
        for table in data.iter_batches(batch_size=None, batch_format="pyarrow"):
            for number, content in zip(table["part"].to_pylist(), table["data"].to_pylist(), strict=True):
                value = pickle.loads(content)
                yield (number, value) if isinstance(value, dict) else value
    except ray.exceptions.RayError as error:
        reason = f"Ray ended the run ({type(error).__name__})"
        raise InputError(reason, "--address", "look into Ray's logs, and run again: what is done is kept") from error


def _read(row: dict[str, Any], job: worker.Job) -> dict[str, Any]:
    return row | {"data": pickle.dumps(worker.read(job, pickle.loads(row["data"])))}


class _Network:
    def __init__(self, job: worker.Job, device: str) -> None:
        self.job, self.device = job, device

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        states = worker.predict(self.job, [pickle.loads(data) for data in batch["data"]], self.device)
        return {**batch, "data": [pickle.dumps(state) for state in states]}


def _conclude(row: dict[str, Any], job: worker.Job) -> dict[str, Any]:
    return row | {"data": pickle.dumps(worker.conclude(job, pickle.loads(row["data"])))}


def _date(row: dict[str, Any], job: worker.Job) -> dict[str, Any]:
    image = pickle.loads(row["data"])
    return row | {"data": pickle.dumps((image, job.source.date(image)))}
