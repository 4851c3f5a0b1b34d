"""Markdown of the benchmarks."""

from __future__ import annotations

from typing import Any

from cxr_tools.markdown import number, signed
from cxr_tools.markdown import table as markdown
from tools.bench.inference import WAYS
from tools.bench.pieces import PIECES
from tools.bench.runtimes import RUNTIMES

Record = dict[str, Any]


def table(record: Record) -> str:
    """The random walk by grid size, and what it was measured with."""
    head = ["grid", "dense, as published", "ours", "faster", "ours, Chebyshev", "extra memory: dense", "ours"]
    head += ["float32 error: dense", "ours", "Chebyshev"]
    rows = []
    for grid in record["grids"]:
        dense, ours, short = (grid.get(method, {}) for method in ("dense", "ours", "chebyshev"))
        derived = "~" if "extrapolated_from" in dense else ""
        rows.append(
            [
                f"{grid['size']} x {grid['size']}",
                derived + _seconds(dense),
                _seconds(ours),
                f"{derived}{_three(grid['ratio'])}x" if "ratio" in grid else "–",
                _seconds(short),
                *(_value(method, "extra_megabytes", "{:.0f} MB") for method in (dense, ours)),
                *(_value(method, "relative_error", "{:.0e}") for method in (dense, ours, short)),
            ]
        )
    return markdown(head, rows) + "\n" + _notes(record)


def inference_table(record: Record) -> str:
    """CPU time per image of whole runs beside the network, reading and network, and the same job by hand."""
    rows = [
        [
            case["bundle"],
            case["kind"],
            str(case["batch"]),
            *(f"{_three(case['cpu_ms'][way])} ms" if way in case["cpu_ms"] else "–" for way in WAYS),
            *(f"{case['ratio'][way]:.2f}x" for way in ("json", "default")),
            f"{1000 / case['cpu_ms']['default']:.1f}",
            f"{case['megabytes']:,.0f} MB",
        ]
        for case in record["cases"]
    ]
    head = ["bundle", "image", "batch", *WAYS.values(), "`[json]` / reading and network", "default / the same"]
    head += ["images/s, default", "peak memory"]
    starts = [
        [start["bundle"], f"{start['import_s']:.1f} s", f"{start['first_s']:.1f} s", f"{start['ratio']:.2f}x"]
        for start in record["starts"]
    ]
    text = (
        f"{_void(record)}CPU time per image on one thread, images/s of one core; medians of {record['repeats']} turns,"
        " in which the ways follow each other, and of the ratios of each turn. Memory is the peak of the process, all"
        f" ways together. Measured {record['date']}, load average {record['load_before']:.1f} before and"
        f" {record['load_after']:.1f} after; torch {record['versions']['torch']}.\n"
    )
    text += "\n" + _against_goals(record) + "\n"
    first = markdown(["bundle", "`import torch, monai`", "first result of a new process", "ratio"], starts)
    return markdown(head, rows) + "\n" + text + "\n" + first


def _against_goals(record: Record) -> str:
    """The range of each ratio beside what was asked for, and how many miss it."""
    found = {
        "`[json]`": (1.15, [case["ratio"]["json"] for case in record["cases"]]),
        "default outputs": (2.0, [case["ratio"]["default"] for case in record["cases"]]),
        "the first result": (1.5, [start["ratio"] for start in record["starts"]]),
    }
    said = [
        f"{name}: {min(ratios):.2f} to {max(ratios):.2f}, goal at most {goal:g},"
        f" missed in {sum(round(ratio, 2) > goal for ratio in ratios)} of {len(ratios)} rows"
        for name, (goal, ratios) in found.items()
    ]
    return f"Against the goals: {'; '.join(said)}."


def loading_table(record: Record) -> str:
    """Processor time, memory and room on disk of a training's images, without and with caches."""
    kinds = {"filling": "filling it", "reading": "reading", "loading": "with augmentation", "training": "training"}
    rows = [
        [
            case["cache"],
            *(_milliseconds(case["cost"].get(kind)) for kind in kinds),
            f"{1000 / case['cost']['loading']['clock_ms']:,.0f}",
            f"{case['loading_megabytes']:,.0f} MB",
            f"{case['disk_megabytes']:,.0f} MB" if case["disk_megabytes"] else "–",
        ]
        for case in record["cases"]
    ]
    head = ["cache", *kinds.values(), "images/s, with augmentation", "peak memory of loading", "on disk"]
    text = (
        f"Milliseconds of one core for an image, and images per second of the clock. {record['images']:,} PNGs of"
        f" {record['side']} x {record['side']} for a network that takes 256 x 256, {record['timed']:,} of them timed;"
        f" {record['workers']} loader processes; training: {record['steps']} steps of {record['batch_size']} images on"
        f" a processor. Memory is that of all processes together. Measured {record['date']}, load average"
        f" {record['load_before']:.1f} before and {record['load_after']:.1f} after;"
        f" torch {record['versions']['torch']}.\n"
    )
    return markdown(head, rows) + "\n" + text


def _milliseconds(cost: Record | None) -> str:
    return "–" if cost is None else f"{_three(cost['cpu_ms'])} ms"


def runtimes_table(record: Record) -> str:
    """Milliseconds per image by runtime, the fastest in bold, and what it was measured with."""
    names = [name for name in RUNTIMES if any(name in case["milliseconds"] for case in record["cases"])]
    rows = []
    for case in record["cases"]:
        times = case["milliseconds"]
        fastest = min(times.values())
        cells = [f"{_three(times[name])} ms" if name in times else "–" for name in names]
        marked = [
            f"**{cell}**" if times.get(name) == fastest else cell for name, cell in zip(names, cells, strict=True)
        ]
        rows.append([case["bundle"], " x ".join(map(str, case["size"])), *marked])
    exact = [name for name in names if name != "bfloat16"]
    off = max(case["difference"].get(name, 0) for case in record["cases"] for name in exact)
    versions = {**record["versions"], **record["cases"][0]["runtime_versions"]}
    made = ", ".join(f"{name} {versions[name]}" for name in ("torch", "onnxruntime", "openvino") if name in versions)
    text = (
        f"The network alone, one image; medians of {record['repeats']} turns, a tenth of them above 256 pixels;"
        f" {record['device']}. All but bfloat16"
        f" differ by at most {off:.0e} from PyTorch. Measured {record['date']}, load average"
        f" {record['load_before']:.1f} before; {made}.\n"
    )
    return markdown(["bundle", "image", *(RUNTIMES[name] for name in names)], rows) + "\n" + text


def int8_table(record: Record) -> str:
    """Time, size, points and AUROC of localisers as they are and in 8-bit numbers."""
    head = ["bundle", "time, float32", "int8", "size, float32", "int8"]
    head += ["points, float32", "int8", "difference", "AUROC, float32", "int8", "difference"]
    rows = []
    for case in record["cases"]:
        cells = [f"{_three(case['milliseconds'][way])} ms" for way in ("float32", "int8")]
        cells += [f"{case['megabytes'][way]:.1f} MB" for way in ("float32", "int8")]
        for test, name, of in (("boxes", "point", "micro"), ("nih", "auroc", "macro")):
            figure = case["tests"][test]["figures"][name][of]
            cells += [number(figure["methods"][way]) for way in ("float32", "int8")]
            cells.append(signed(figure["difference"]["int8"]))
        rows.append([case["bundle"], *cells])
    images = {test: record["cases"][0]["tests"][test]["n_images"] for test in ("boxes", "nih")}
    text = (
        f"ONNX Runtime's static quantisation, calibrated on {record['calibration']} validation images. Points on"
        f" {images['boxes']} images with NIH's official boxes, AUROC on {images['nih']} others, both of the weights"
        f" that ship (seed 0); intervals of 95% over patients. CPU time of the network alone, one image,"
        f" {record['device']}; medians of {record['repeats']} turns. Measured {record['date']}, load average"
        f" {record['load_before']:.1f} before; torch {record['versions']['torch']}.\n"
    )
    return markdown(head, rows) + "\n" + text


def pieces_table(record: Record) -> str:
    """Pieces of ours beside the plain way, by size, and how our time grows."""
    head = ["what", "size", "ours", "the plain way", "takes", "plain / ours", "grows with size to the power of"]
    rows = []
    for case in record["cases"]:
        piece = PIECES[case["piece"]]
        for place, one in enumerate(case["sizes"]):
            last = place == len(case["sizes"]) - 1
            plain = [f"{_three(one['plain_ms'])} ms", f"{_three(one['ratio'])}x"] if "ratio" in one else ["–", "–"]
            rows.append(
                [
                    "" if place else piece.title,
                    f"{one['size']:,} {piece.unit}",
                    f"{_three(one['ours_ms'])} ms",
                    "" if place else piece.rival or "–",
                    *plain,
                    f"{case['exponent']:.2f}" if last and case["exponent"] is not None else "",
                ]
            )
    return (
        markdown(head, rows)
        + f"\n{_void(record)}CPU time on one thread; medians of {record['repeats']} turns, in which the ways follow"
        f" each other, and of the ratios of each turn. Measured {record['date']}, load average"
        f" {record['load_before']:.1f} before and {record['load_after']:.1f} after;"
        f" torch {record['versions']['torch']}.\n"
    )


def _void(record: Record) -> str:
    rise = record["load_after"] - record["load_before"]
    return "**Void: other work began meanwhile; measure again.** " if rise > 1.5 else ""


def _notes(record: Record) -> str:
    settings, scaling = record["settings"], record["scaling"]
    steps = 2 ** settings["squarings"]
    text = (
        f"Radius {settings['radius']}, beta {settings['beta']}, {steps} steps, {settings['channels']} maps, float32,"
        f" {settings['threads']} threads, path maxima included; ours: median of {settings['repeats']} runs;"
        f" Chebyshev: degree {settings['degree']}."
    )
    derived = [grid for grid in record["grids"] if "extrapolated_from" in grid.get("dense", {})]
    for grid in derived:
        text += (
            f" ~ is not measured: the time at {grid['dense']['extrapolated_from']}, times the ratio of pixels cubed."
        )
    if scaling:
        text += (
            f" Our time is {scaling['fixed_seconds']:.2f} s + {scaling['microseconds_per_pixel']:.1f} µs per pixel,"
            f" within {100 * scaling['relative_residual']:.0f}%; it grows with pixels to the power of"
            f" {scaling['exponent']:.2f} among the three largest grids."
        )
    text += (
        f" Memory: {record['memory']}. Error: {record['error']}."
        f" Measured {record['date']} on {record['device']}, load average {record['load_before']:.1f} before;"
        f" torch {record['versions']['torch']}."
    )
    return text + "\n"


def _seconds(method: Record) -> str:
    return f"{_three(method['seconds'])} s" if method else "–"


def _value(method: Record, key: str, form: str) -> str:
    return form.format(method[key]) if key in method else "–"


def _three(value: float) -> str:
    """Three digits, never as a power of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
