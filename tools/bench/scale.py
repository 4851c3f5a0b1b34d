"""A run over very many images, killed in the middle and resumed: whether memory and speed stay, and none is lost.

``python -m tools.bench scale`` takes 20,000 images; `tests/tools/bench/test_scale.py` takes a few hundred.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from cxr_common.findings import read_findings
from cxr_common.findings.record_lines import JOURNAL
from tools.bench.loading import make_images
from tools.bench.memory import held
from tools.repository import BUNDLES, REPOSITORY

Record = dict[str, Any]
#: Different images; the others are the same files under other names.
_DIFFERENT = 200
#: Share of a process's images after which it is warm, and that its first and last part have.
_WARM = 0.1


def bench_scale(output: Path, bundle: str, images: int, side: int, kill_at: float, outputs: list[str]) -> Record:
    """Run over the images, kill the run, resume it, and look at what is there; write and return the record.

    Args:
        output: JSON file to write.
        bundle: folder name.
        images: how many.
        side: of the images, pixels.
        kill_at: share of the images after which the first process gets SIGKILL.
        outputs: of the run.
    """
    load = os.getloadavg()[0]
    with TemporaryDirectory(dir=output.parent) as name:
        folder, results = Path(name, "images"), Path(name, "results")
        folder.mkdir()
        make_images(folder, min(images, _DIFFERENT), side)
        originals = sorted(folder.glob("*.png"))
        for number in range(len(originals), images):
            os.link(originals[number % len(originals)], folder / f"{number:06d}.png")
        command = [sys.executable, "-m", "monai.bundle", "run", "--bundle_root", str(BUNDLES / bundle)]
        command += ["--config_file", str(BUNDLES / bundle / "configs" / "inference.json"), "--dataset_dir", str(folder)]
        command += ["--output_dir", str(results), "--outputs", json.dumps(outputs), "--resume", "True"]
        first = _watched(command, results, kill_after=round(kill_at * images))
        kept = {path.name: path.stat().st_mtime_ns for path in results.glob("*_heatmap.npz")}
        known = {entry["record"]["files"]["heatmap"] for entry in _entries(results / JOURNAL)}
        second = _watched(command, results)
        found = read_findings(results)
        paths = [image["path"] for image in found["images"]]
        again = sum((results / name).stat().st_mtime_ns != kept[name] for name in known)
    record: Record = {"benchmark": "scale", "bundle": bundle, "images": images, "side": side, "outputs": outputs}
    record |= {"killed_at": len(known), "lost": images - len(set(paths)), "twice": again + len(paths) - len(set(paths))}
    record |= {"failures": len(found["failures"]), "runs": [_drift(first), _drift(second)], "load_before": load}
    record |= {"load_after": os.getloadavg()[0], **provenance()}
    write_json(record, output)
    return record


def _entries(journal: Path) -> list[Record]:
    return [json.loads(line) for line in journal.read_bytes().splitlines()[1:] if line.endswith(b"}")]


def _watched(command: list[str], results: Path, kill_after: int | None = None) -> list[tuple[float, int, int]]:
    """Run a command; (seconds, images in the journal, bytes of memory), twice a second while it writes.

    Raises:
        RuntimeError: it ended otherwise than it should.
    """
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'common'}"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    samples, lines, read, start = [], 0, 0, time.perf_counter()
    while process.poll() is None:
        try:
            with open(results / JOURNAL, "rb") as file:
                file.seek(read)
                more = file.read()
                lines, read = lines + more.count(b"\n"), read + len(more)
        except FileNotFoundError:  # not yet, or no more
            lines, read = 0, 0
        if lines > 1:
            samples.append((time.perf_counter() - start, lines - 1, held(process.pid)))
        if kill_after is not None and lines > kill_after:
            process.send_signal(signal.SIGKILL)
            process.wait()
            break
        time.sleep(0.5 if kill_after is None else 0.05)
    error = process.communicate()[1]
    if process.returncode != (0 if kill_after is None else -signal.SIGKILL):
        raise RuntimeError(f"the run ended with status {process.returncode}: {error[-500:]}")
    return samples


def _drift(samples: list[tuple[float, int, int]]) -> Record:
    """Images per second and memory at the beginning, once warm, and at the end."""
    low, high = samples[0][1], samples[-1][1]
    part = _WARM * (high - low)
    early = [s for s in samples if low + part <= s[1] <= low + 2 * part]
    late = [s for s in samples if s[1] >= high - part and s[2]]
    figures: Record = {"images": high - low, "seconds": samples[-1][0] - samples[0][0]}
    for name, some in (("early", early), ("late", late)):
        if len(some) > 1:
            figures[f"{name}_megabytes"] = statistics.median(s[2] for s in some) / 1e6
            figures[f"{name}_images_per_second"] = (some[-1][1] - some[0][1]) / (some[-1][0] - some[0][0])
    if "early_megabytes" in figures and "late_megabytes" in figures:
        figures["growth"] = figures["late_megabytes"] / figures["early_megabytes"] - 1
    return figures


def scale_text(record: Record) -> str:
    """What a run over very many images showed, in sentences."""
    runs = [run for run in record["runs"] if "growth" in run]
    drift = "; ".join(
        f"memory {run['early_megabytes']:,.0f} MB once warm and {run['late_megabytes']:,.0f} MB at the end"
        f" ({100 * run['growth']:+.1f}%), {run['early_images_per_second']:.1f} and"
        f" {run['late_images_per_second']:.1f} images/s"
        for run in runs
    )
    lost = f"{record['lost']} lost, {record['twice']} done twice, {record['failures']} failed"
    load = f"load average {record['load_before']:.1f} before and {record['load_after']:.1f} after"
    return (
        f"{record['images']:,} images of {record['side']} x {record['side']} by {record['bundle']}, outputs"
        f" {', '.join(record['outputs'])}; killed by SIGKILL after {record['killed_at']:,} and resumed: {lost}. Of the"
        f" two processes: {drift}. Measured {record['date']}, {load}.\n"
    )
