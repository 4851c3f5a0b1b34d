"""How long a network takes by what runs it: PyTorch in several ways, TorchScript, ONNX Runtime, OpenVINO.

One bundle in its own process: ``python -m tools.bench.runtimes '{"bundle": ..., "threads": ..., "repeats": ...}'``.
Times are of the network alone, one image of the bundle's input size or of others. Runtimes take turns, so that what
else the machine does meets all of them.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from tools.bench.turns import take_turns
from tools.bench.walk import run_case

Record = dict[str, Any]
#: Name -> how a table calls it, in the table's order.
RUNTIMES = {
    "eager": "PyTorch",
    "channels_last": "channels last",
    "bfloat16": "bfloat16",
    "torchscript": "TorchScript",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
}


def bench_runtimes(
    output: Path, bundles: tuple[str, ...], sides: tuple[int, ...] = (), threads: int = 1, repeats: int = 50
) -> Record:
    """Measure every bundle, one after another, each in a fresh process; write and return the record.

    Args:
        output: JSON file to write.
        bundles: names of bundles.
        sides: of square images to measure beside those of the bundle's own size, pixels.
        threads: of every process.
        repeats: of each runtime; the median counts. Images above 256 pixels take a tenth of them.
    """
    load = os.getloadavg()[0]
    cases: list[Record] = []
    for bundle in bundles:
        for side in (None, *sides):
            if side and [side, side] == cases[-1]["size"]:
                continue  # it is the bundle's own
            turns = repeats if side is None or side <= 256 else max(repeats // 10, 2)
            case = {"bundle": bundle, "side": side, "threads": threads, "repeats": turns}
            cases.append({"bundle": bundle, **run_case("tools.bench.runtimes", case, threads)})
            print(f"{bundle}, {cases[-1]['size']}: {cases[-1]['milliseconds']}", flush=True)
    record: Record = {"benchmark": "runtimes", "repeats": repeats, "load_before": load, "cases": cases, **provenance()}
    record["device"] = f"CPU, {threads} thread{'s' if threads > 1 else ''}"
    write_json(record, output)
    return record


def measure(bundle: str, side: int | None, threads: int, repeats: int) -> Record:
    """Median milliseconds of each runtime that is installed, its largest difference from PyTorch, and versions."""
    import torch

    from cxr_common.loading import load

    torch.set_num_threads(threads)
    loaded = load(bundle, device="cpu")
    size = [side, side] if side else list(map(int, loaded.config.get_parsed_content("spatial_size")))
    image = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(0))
    with TemporaryDirectory() as folder, torch.no_grad():
        # In the order that PyTorch makes; the bundle itself runs channels-last.
        network = loaded.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        runs = _runs(network, image, Path(folder), threads)
        expected = runs["eager"]()
        off = {name: float((run() - expected).abs().max()) for name, run in runs.items()}
        times = take_turns(runs, repeats, time.perf_counter)
    return {
        "size": size,
        "milliseconds": {name: statistics.median(values) for name, values in times.items()},
        "difference": off,
        "not_installed": [name for name in ("openvino",) if name not in runs],
        "runtime_versions": _versions(),
    }


def _runs(network: Any, image: Any, folder: Path, threads: int) -> dict[str, Callable[[], Any]]:
    """Name -> what computes the network's output of the image, warm."""
    import copy

    import torch

    from cxr_common.exports import OnnxFile, write_onnx
    from cxr_verify.probes.exports import scripted

    file = folder / "network.onnx"
    write_onnx(network, image, file, ["pred"])
    onnx, (script, _) = OnnxFile(file), scripted(network, image)
    script = torch.jit.freeze(script.eval())
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    last_image = image.to(memory_format=torch.channels_last)

    def bfloat16() -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return last(last_image).float()

    runs: dict[str, Callable[[], Any]] = {
        "eager": lambda: network(image),
        "channels_last": lambda: last(last_image),
        "bfloat16": bfloat16,
        "torchscript": lambda: script(image),
        "onnxruntime": lambda: onnx(image)[0],
    }
    if find_spec("openvino"):
        import openvino

        options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = openvino.compile_model(str(file), "CPU", options)
        runs["openvino"] = lambda: torch.from_numpy(compiled([image.numpy()])[0].copy())
    for run in runs.values():
        for _ in range(3):  # TorchScript compiles in its first passes
            run()
    return runs


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("onnxruntime", "openvino"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
