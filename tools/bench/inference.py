"""What an inference run costs beside reading and network alone: CPU time per image, all outputs on.

One bundle in its own process: ``python -m tools.bench.inference '{"bundle": ..., "images": ..., "threads": ...}'``.
Both times are CPU time of that process, the least of the repeats. They leave out imports, loading of weights and a
first pass over the images; imports are given apart.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from cxr_tools.make_phantoms import main as make_phantoms
from tools.bench.walk import run_case
from tools.repository import BUNDLES

Record = dict[str, Any]


def bench_inference(output: Path, bundles: tuple[str, ...], sizes: dict[int, int], repeats: int = 3) -> Record:
    """Measure every bundle at every size, one after another on one thread; write and return the record.

    Args:
        output: JSON file to write.
        bundles: folder names; of bundles that take images alone.
        sizes: side of the phantoms in pixels -> how many.
        repeats: of each measurement; the least CPU time counts.
    """
    load = os.getloadavg()[0]
    cases: list[Record] = []
    with TemporaryDirectory() as folder:
        for size, count in sizes.items():
            images = Path(folder, str(size))
            options = ["--count", str(count), "--size", str(size), "--no-masks", "--workers", "1", "--seed", "20260101"]
            make_phantoms(["--output", str(images), *options])
            for bundle in bundles:
                case = {"bundle": bundle, "images": str(images / "images"), "threads": 1, "repeats": repeats}
                cases.append({"bundle": bundle, "size": size, **run_case("tools.bench.inference", case, threads=1)})
    record: Record = {"benchmark": "inference", "repeats": repeats, "load_before": load, "cases": cases, **provenance()}
    record["device"] = "CPU, 1 thread"
    write_json(record, output)
    return record


def measure(bundle: str, images: str, threads: int, repeats: int) -> Record:
    """CPU milliseconds per image: reading, preprocessing and network alone, and the whole run; their ratio."""
    import torch
    from monai.bundle import ConfigWorkflow

    from cxr_common.networks import load_weights

    torch.set_num_threads(threads)
    root = BUNDLES / bundle
    with TemporaryDirectory() as output:
        workflow = ConfigWorkflow(
            workflow_type="inference",
            config_file=str(root / "configs" / "inference.json"),
            logging_file=False,
            bundle_root=str(root),
            dataset_dir=images,
            output_dir=output,
        )
        workflow.initialize()
        names = ("network_def", "weights", "evaluator", "findings_writer", "dataloader", "inferer")
        network, weights, evaluator, writer, loader, inferer = map(workflow.parser.get_parsed_content, names)
        load_weights(network, weights)
        start = time.process_time()
        network.eval()

        def alone() -> None:
            with torch.no_grad():
                for batch in loader:
                    inferer(batch["image"], network)

        def whole() -> None:
            evaluator.run()
            writer.write_record()

        whole()
        times = [(_cpu(alone), _cpu(whole)) for _ in range(repeats)]
        count = len(writer.images.records)
        if writer.write_record()["failures"]:
            raise RuntimeError(f"{bundle} failed at an image")
    base, run = (1000 * min(column) / count for column in zip(*times, strict=True))
    return {"images": count, "alone_ms": base, "run_ms": run, "ratio": run / base, "start_ms": 1000 * start}


def _cpu(function: Callable[[], None]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


if __name__ == "__main__":
    result = measure(**json.loads(sys.argv[1]))
    print(json.dumps(result))
