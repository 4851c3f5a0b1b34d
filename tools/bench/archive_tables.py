"""What an archive costs: measured figures as Markdown, and what follows from them for large archives."""

from __future__ import annotations

from typing import Any

from cxr_tools.markdown import table as markdown

Record = dict[str, Any]
#: What estimates assume where nothing else is said: US dollars, and frontal images of a study.
ASSUMED = {"core_hour": 0.04, "gpu_hour": 2.5, "gigabyte_month": 0.02, "images_per_study": 1.2}
#: Archive -> studies; NIH's are counted as images.
ARCHIVES = {"NIH ChestX-ray14, 112,120 images": 112_120, "10 million studies": 10_000_000}
CORES = (8, 64, 512)


def archive_table(record: Record) -> str:
    """What was measured."""
    rows = [
        [kind, *(f"{step[name]:.1f} ms" for name in ("read_ms", "network_ms", "find_ms")), f"{_cpu(step):.1f} ms"]
        for kind, step in record["steps"].items()
    ]
    head = ["image", "read", "network", "find", "together"]
    small, large = record["runs"]
    books, files = record["books"], record["file_bytes"]
    sizes = ", ".join(f"{name} {size / 1000:,.0f} kB" for name, size in files.items())
    text = (
        f"CPU time of one image on one thread, {record['bundle']}, without files. A whole run took"
        f" {small['seconds']:.0f} s for {small['images']:,} images of the first kind and {large['seconds']:.0f} s for"
        f" {large['images']:,}: beyond its start {record['images_per_second']:.1f} images/s on {record['cores']} cores,"
        f" which is {100 * efficiency(record):.0f}% of what these cores could do in the time of the table.\n\n"
        f"The command's own process needs {books['name_bytes']:.0f} bytes of memory for the name of an image and"
        f" {books['row_ms']:.2f} ms for its row. A row takes {books['row_bytes']:.0f} bytes in a file of 1,000."
        f" Files of an image of the last kind: {sizes}.\n\n"
        f"Measured {record['date']} on {record['device']}, load average {record['load_before']:.1f} before and"
        f" {record['load_after']:.1f} after; torch {record['versions']['torch']}.\n"
    )
    return markdown(head, rows) + "\n" + text


def efficiency(record: Record) -> float:
    """Images per second of a whole run over those that its cores could do if they did nothing but the steps."""
    ideal = 1000 * record["cores"] / _cpu(next(iter(record["steps"].values())))
    return float(record["images_per_second"] / ideal)


def scale_table(record: Record) -> str:
    """Time, cost and room of large archives, derived."""
    assumed, share = record["assumed"], efficiency(record)
    rows = []
    for archive, studies in ARCHIVES.items():
        images = studies * (1 if "images" in archive else assumed["images_per_study"])
        for kind, step in record["steps"].items():
            hours = images * _cpu(step) / 3.6e6 / share
            rows.append([archive, kind, *(_time(hours / n) for n in CORES), f"${hours * assumed['core_hour']:,.0f}"])
    head = ["archive", "images", *(f"{n} cores" for n in CORES), "cost"]
    return markdown(head, rows) + "\n" + _storage(record) + "\n" + _gpu(record)


def _storage(record: Record) -> str:
    assumed, sizes = record["assumed"], {"rows (Parquet)": record["books"]["row_bytes"], **record["file_bytes"]}
    images = ARCHIVES["10 million studies"] * assumed["images_per_study"]
    rows = []
    for name, size in sizes.items():
        whole = images * size / 1e9
        tenth = "–" if name.startswith("rows") else _gigabytes(whole / 10)
        rows.append([name, _gigabytes(whole), tenth, f"${whole * assumed['gigabyte_month']:,.0f}"])
    return markdown(["output of 10 million studies", "of all images", "of every tenth", "all, a month"], rows)


def _gpu(record: Record) -> str:
    """How many cores keep a GPU busy is not known before a GPU was measured; what cores then do is."""
    assumed, images = record["assumed"], ARCHIVES["10 million studies"] * record["assumed"]["images_per_study"]
    texts = []
    for kind, step in record["steps"].items():
        hours = images * (step["read_ms"] + step["find_ms"]) / 3.6e6 / efficiency(record)
        texts.append(f"{kind}: {_time(hours / 64)} on 64 cores")
    books = record["books"]
    driver, memory = images * books["row_ms"] / 3.6e6, images * books["name_bytes"] / 1e9
    return (
        "With the network on GPUs, cores only read and find. 10 million studies then take at least, if the GPUs keep"
        f" up, {'; '.join(texts)}. A GPU's own images per second: not measured yet. Each GPU costs"
        f" ${assumed['gpu_hour']:.2f} an hour.\n\n"
        f"The command's own process needs {memory:.1f} GB for the names of these images, and {driver:.1f} hours for"
        f" their rows: it keeps up with at most {1000 / books['row_ms']:,.0f} images/s.\n\n"
        f"Assumed: ${assumed['core_hour']:.3f} for an hour of a core, ${assumed['gigabyte_month']:.3f} for a gigabyte"
        f" and month, {assumed['images_per_study']:.1f} frontal images in a study; time shrinks in proportion to"
        " cores.\n"
    )


def _cpu(step: Record) -> float:
    return float(step["read_ms"] + step["network_ms"] + step["find_ms"])


def _time(hours: float) -> str:
    return f"{hours / 24:,.1f} days" if hours >= 48 else f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def _gigabytes(size: float) -> str:
    return f"{size / 1000:,.1f} TB" if size >= 1000 else f"{size:,.1f} GB"
