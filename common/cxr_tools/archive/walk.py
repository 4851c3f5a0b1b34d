"""From the first image of an archive to its last: what is left to be done, and what became of it."""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cxr_common.errors import InputError
from cxr_common.findings.publish import sweep
from cxr_common.findings.run_folder import RunFolder
from cxr_common.loading import find_bundle
from cxr_common.text import encodable, printable
from cxr_tools.archive import engine
from cxr_tools.archive.inputs import list_images
from cxr_tools.archive.made_from import settle
from cxr_tools.archive.parts import Part, by_date, by_hash
from cxr_tools.archive.results import PartWriter, Results
from cxr_tools.archive.rows import schema
from cxr_tools.archive.worker import Artefacts, Job, bundle_of, writing_of
from cxr_tools.bundle_parser import beside

#: Images that Ray is given at a time.
_WINDOW = 1_000_000
_SHOWN = 20


def go_through(args: argparse.Namespace) -> int:
    """Do what is left of an archive.

    Args:
        args: of the command.

    Returns:
        Exit status: 1 where images have an error or are still left.

    Raises:
        InputError: the run cannot begin, or cannot go on; what is done is kept.
    """
    if args.output.resolve() == Path(args.input).resolve():
        raise InputError("results would lie among the radiographs", args.output, "give another --output")
    folder, new = RunFolder(args.output), not args.output.exists()
    folder.claim()
    try:
        images, source = list_images(args)
        job, buckets = _job(args, source, len(images))
        results = Results(args.output / "results")
        results.sweep()
        for place in (args.output / "files").glob("*/"):
            sweep(place)
        again = results.forget_errors() if args.retry else 0
        done = results.done()
        left = [image for image in images if encodable(image) not in done]
        known = f"{len(images) - len(left)} done before" + (f", {again} tried again" if again else "")
        print(f"{len(left)} image(s) to do, {known}", flush=True)
        if not left:
            return 0
        with engine.connected(args.address):
            if args.partition == "date":
                parts = by_date(engine.dates(job, left), args.rows)
            else:
                parts = by_hash(left, buckets, args.rows)
            return _do(args, job, parts, results)
    finally:
        folder.release()
        if new:
            with suppress(OSError):  # it holds something
                args.output.rmdir()


def _job(args: argparse.Namespace, source: Any, count: int) -> tuple[Job, int]:
    """What workers are told, after the bundle was loaded here once, so that what does not fit is refused now."""
    folder = find_bundle(args.bundle).resolve()
    options = {**beside(folder, [folder / "configs" / "inference.json"]), **args.options}
    kinds = tuple(sorted({name.strip() for name in args.files.split(",") if name.strip()} - {"json"}))
    job = Job(folder, json.dumps(options, sort_keys=True), source, args.output, Artefacts(kinds, args.files_of))
    bundle = bundle_of(job)
    if kinds:
        writing_of(job)
    settings = {"files": kinds, "files_of": args.files_of, "partition": args.partition}
    settings["options"] = {name: value for name, value in args.options.items() if name != "batch_size"}
    buckets = max(1, -(-6 * count // (5 * args.rows)))  # with some room, so that few need a second file
    buckets, key = settle(args.output, bundle, settings, buckets)
    return replace(job, artefacts=replace(job.artefacts, key=key)), buckets


def _do(args: argparse.Namespace, job: Job, parts: Sequence[Part], results: Results) -> int:
    bundle = bundle_of(job)
    batch = int(bundle.config.get("batch_size", 1))
    total, errors, taken = sum(len(part.images) for part in parts), Counter[str](), 0
    with tqdm(total=total, unit="image", disable=None) as bar:
        for window in _windows(parts):
            writer = PartWriter(results, window, schema(bundle.labels))
            try:
                for number, state in engine.results(job, window, batch, args.networks, args.network_cores):
                    if "later" in state:
                        raise InputError(state["later"], None, "mend this, and run again: what is done is kept")
                    if writer.add(number, state["row"]):
                        taken += 1
                        bar.update()
                        errors.update(_said(state["row"], args.show_identity))
            finally:
                writer.flush()
    print(_summary(taken, errors, total - taken, args.output))
    return 1 if errors or taken < total else 0


def _windows(parts: Sequence[Part]) -> Iterator[list[Part]]:
    window: list[Part] = []
    for part in parts:
        window.append(part)
        if sum(len(other.images) for other in window) >= _WINDOW:
            yield window
            window = []
    if window:
        yield window


def _said(row: dict[str, Any], show_identity: bool) -> list[str]:
    """What is said of an image with an error: without its name, and without what its header says, in brackets."""
    if row.get("error") is None:
        return []
    return [f"{row['image']}: {row['error']}" if show_identity else re.sub(r" \(.*\)", "", row["error"])]


def _summary(done: int, errors: Counter[str], left: int, output: Path) -> str:
    lines = [f"{done} image(s) done, {errors.total()} of them with an error; results in {output}"]
    lines += [f"  {number} x {printable(reason)}" for reason, number in errors.most_common(_SHOWN)]
    lines += [f"  and {len(errors) - _SHOWN} other errors"] if len(errors) > _SHOWN else []
    lines += [f"  {left} were with a process that was lost: run again"] if left else []
    return "\n".join(lines)
