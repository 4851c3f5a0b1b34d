"""Make a data set of phantoms: pictures, masks and a datalist.

cxr phantoms --output DIR --training 100 --validation 20 --testing 20 --seed 0
cxr phantoms --output DIR --count 6 --format dicom
cxr phantoms --output DIR --training 100 --anatomy
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from cxr_common.cli import one_line_errors
from cxr_common.data import write_datalist
from cxr_common.data.phantom import GENERATOR_VERSION, Phantom, PhantomConfig, make_phantom
from cxr_common.errors import InputError
from cxr_common.json_files import read_json
from cxr_common.labels import LABELS
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.new_folder import new_folder
from cxr_tools.worker_pool import worker_pool

SECTIONS = ("training", "validation", "testing")
#: Sections take their indices from blocks this far apart, so that one more image changes no other section.
BLOCK = 1_000_000
PHOTOMETRIC = ("alternate", "MONOCHROME1", "MONOCHROME2")
#: Classes of a data set of anatomy -> parts of :class:`Phantom` that they join.
ANATOMY: dict[str, tuple[str, ...]] = {"Lungs": ("right lung", "left lung"), "Heart": ("heart",)}


def write_phantom(
    job: tuple[int, str], folder: Path, seed: int, config: PhantomConfig, options: dict[str, Any]
) -> dict:
    """Make one phantom and write its picture and masks.

    Args:
        job: index and name.
        folder: data set root.
        seed: of the set.
        config: generator settings.
        options: "format", "photometric", "masks" and "anatomy" of the command line.

    Returns:
        Its datalist item, with the SHA-256 of its pixels under "pixels_sha256".
    """
    index, name = job
    phantom = make_phantom(seed, index, config)
    pixels = np.rint(phantom.image * 255).astype(np.uint8)
    if options["format"] == "png":
        image = Path("images") / f"{name}.png"
        Image.fromarray(pixels).save(folder / image)
    else:
        image = Path("images") / f"{name}.dcm"
        _write_dicom(phantom, folder / image, options["photometric"])
    item: dict[str, Any] = {
        "image": image.as_posix(),
        "patient": f"phantom-{seed}-{index}",
        **_annotations(phantom, options["anatomy"]),
        "source": "phantom",
        "view": phantom.view,
        "age": phantom.age,
        "sex": phantom.sex,
        "phantom": {"seed": seed, "index": index},
    }
    if options["masks"]:
        item["mask"] = dict.fromkeys(ANATOMY if options["anatomy"] else LABELS)
        for label, mask in (_anatomy(phantom) if options["anatomy"] else phantom.masks).items():
            path = Path("masks") / f"{name}_{label}.png"
            Image.fromarray(mask).save(folder / path)
            item["mask"][label] = path.as_posix()
        item["mask_origin"] = "expert"
    item["pixels_sha256"] = hashlib.sha256(pixels.tobytes()).hexdigest()
    return item


def _annotations(phantom: Phantom, anatomy: bool) -> dict[str, Any]:
    if anatomy:
        return {"label": [1] * len(ANATOMY)}
    boxes, classes = [list(box[1:]) for box in phantom.boxes], [LABELS.index(box[0]) for box in phantom.boxes]
    return {"label": phantom.label, "boxes": boxes, "box_labels": classes}


def _anatomy(phantom: Phantom) -> dict[str, np.ndarray]:
    return {name: np.logical_or.reduce([phantom.anatomy[part] for part in parts]) for name, parts in ANATOMY.items()}


def _write_dicom(phantom: Phantom, path: Path, photometric: str) -> None:
    from cxr_common.data.phantom.dicom_files import write_dicom

    if photometric == "alternate":
        photometric = PHOTOMETRIC[1 + phantom.index % 2]
    write_dicom(phantom, path, photometric=photometric)


def make_data_set(
    output: Path, counts: dict[str, int], seed: int, config: PhantomConfig, workers: int = 2, **options: Any
) -> None:
    """Write a data set of phantoms; it appears whole or not at all.

    Args:
        output: folder to make.
        counts: images of each section.
        seed: of the set.
        config: generator settings.
        workers: processes.
        options: as :func:`write_phantom` takes them.

    Raises:
        InputError: when the folder exists and is not empty, or numbers are out of range.
    """
    _check_numbers(counts, seed, workers)
    options = {"format": "png", "photometric": "alternate", "masks": True, "anatomy": False} | options
    data: dict[str, Any] = {"labels": list(ANATOMY if options["anatomy"] else LABELS)}
    digests = {}
    jobs = list(_jobs(counts))
    with new_folder(output, *(("images", "masks") if options["masks"] else ("images",))) as folder:
        write = partial(write_phantom, folder=folder, seed=seed, config=config, options=options)
        with worker_pool(workers) as pool:
            items = list(tqdm(pool.map(write, [j[1:] for j in jobs], chunksize=8), total=len(jobs), desc="phantoms"))
        for section in SECTIONS:
            chosen = [item for item, job in zip(items, jobs, strict=True) if job[0] == section]
            digests[section] = hashlib.sha256("".join(i.pop("pixels_sha256") for i in chosen).encode()).hexdigest()
            data[section] = chosen
        about = {
            "generator_version": GENERATOR_VERSION,
            "seed": seed,
            "counts": counts,
            "config": config.to_dict(),
            "config_sha256": config.sha256(),
            "pixels_sha256": digests,
        }
        (folder / "phantoms.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        write_datalist(data, folder / "datalist.json")


def _check_numbers(counts: dict[str, int], seed: int, workers: int) -> None:
    for section, count in counts.items():
        if not 0 <= count <= BLOCK:
            raise InputError(f"is {count}", f"number of {section} images", f"give 0 to {BLOCK}")
    if sum(counts.values()) < 1:
        raise InputError("no phantom asked for", "--count", "give --count, --training, --validation or --testing")
    if seed < 0:
        raise InputError(f"is {seed}", "--seed", "give 0 or more")
    if workers < 1:
        raise InputError(f"is {workers}", "--workers", "give 1 or more")


def _read_settings(path: Path) -> dict[str, Any]:
    settings = read_json(path, "give a JSON object of PhantomConfig's settings")
    if not isinstance(settings, dict):
        raise InputError(f"holds a {type(settings).__name__}", path, "give a JSON object of PhantomConfig's settings")
    return settings


def _jobs(counts: dict[str, int]) -> Iterator[tuple[str, int, str]]:
    for number, section in enumerate(SECTIONS):
        for i in range(counts.get(section, 0)):
            yield section, number * BLOCK + i, f"{section}_{i:05d}"


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Make a data set; returns the exit status."""
    parser = ToolParser(
        prog="cxr phantoms",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    parser.add_argument("--count", type=int, default=0, help="images of the testing section, for a set without splits")
    for section in SECTIONS:
        parser.add_argument(f"--{section}", type=int, default=0, help=f"images of the {section} section")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, help="rows and columns (default: as in the config)")
    parser.add_argument("--config", type=Path, help="JSON with settings of PhantomConfig")
    parser.add_argument("--format", choices=["png", "dicom"], default="png")
    parser.add_argument(
        "--photometric", choices=PHOTOMETRIC, default="alternate", help="photometric interpretation of DICOM files"
    )
    parser.add_argument("--no-masks", action="store_true", help="write no masks")
    parser.add_argument(
        "--anatomy", action="store_true", help="masks of lungs and heart, and these two classes, in place of findings"
    )
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(argv)
    try:
        settings = _read_settings(args.config) if args.config else {}
        if args.size is not None:
            settings["size"] = args.size
        counts = {section: getattr(args, section) for section in SECTIONS}
        counts["testing"] += args.count
        if args.anatomy and args.no_masks:
            raise InputError("lungs and heart are known by masks alone", "--no-masks", "leave out one of the two")
        options = {"format": args.format, "photometric": args.photometric}
        options |= {"masks": not args.no_masks, "anatomy": args.anatomy}
        config = PhantomConfig.from_dict(settings)
        make_data_set(args.output, counts, args.seed, config, args.workers, **options)
    except OSError as error:
        raise InputError(error.strerror or str(error), error.filename or args.output) from error
    print(f"wrote {sum(counts.values())} phantoms to {args.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
