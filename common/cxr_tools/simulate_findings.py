"""Put simulated findings into real radiographs without findings: pictures, masks and a datalist.

cxr simulate --datalist data/datalist.json --output simulated --seed 0

Takes the images of a datalist whose labels are all 0, outlines their lungs with the segmenter bundle's lung model,
and puts in one to three findings whose place is then known exactly. The new datalist has the eight shared classes; one
that the given datalist does not annotate stays unknown where it is not put in. Images whose lungs are not found are
left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from cxr_common.axes import tensor_to_picture
from cxr_common.cli import one_line_errors
from cxr_common.data import load_datalist, load_labels, read_picture, write_datalist
from cxr_common.data.chest import is_plausible
from cxr_common.data.datalist_schema import SPLITS
from cxr_common.data.phantom.simulate import SIMULATED, simulate_findings
from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.lungs import outline_lungs
from cxr_tools.new_folder import new_folder
from cxr_tools.worker_pool import worker_pool

#: Ranges that contrast and scale of `simulate_findings` are drawn from, uniformly.
CONTRAST, SCALE = (0.8, 2.0), (1.0, 2.0)
Item = dict[str, Any]


def choose_findings(rng: np.random.Generator, among: Sequence[str] = SIMULATED) -> list[str]:
    """One finding, sometimes two or three, each kind as often as any other."""
    count = 1 + int(rng.binomial(2, 0.2))
    return [str(name) for name in rng.choice(list(among), size=min(count, len(among)), replace=False)]


@dataclass(frozen=True)
class Job:
    """One radiograph to put findings into.

    Attributes:
        number: of the image in its section.
        name: of the files to write, without ending.
        item: of the datalist.
        lungs: bool picture [row, column], of any size.
    """

    number: int
    name: str
    item: Item
    lungs: np.ndarray


def write_simulated(
    job: Job, folder: Path, seed: int, known: Collection[str] = LABELS, among: Sequence[str] = SIMULATED
) -> Item | None:
    """Put findings into one radiograph and write its picture and masks.

    Args:
        job: the radiograph.
        folder: data set root.
        seed: of the set.
        known: classes that the radiograph's labels say are absent; of others nobody knows.
        among: classes that are put in.

    Returns:
        The new datalist item; None where the lungs hold none of the findings.
    """
    item, name = job.item, job.name
    picture = tensor_to_picture(read_picture(item["image"]))
    mask = np.asarray(Image.fromarray(job.lungs).resize(picture.shape[::-1], Image.Resampling.NEAREST))
    rng = np.random.default_rng(np.random.SeedSequence((seed, job.number)))
    findings, contrast, scale = choose_findings(rng, among), rng.uniform(*CONTRAST), rng.uniform(*SCALE)
    try:
        made = simulate_findings(picture, mask, findings, int(rng.integers(2**31)), float(contrast), float(scale))
    except InputError:  # lungs too small or too white for it
        return None
    image = Path("images") / f"{name}.png"
    Image.fromarray(np.rint(made.image * 255).astype(np.uint8)).save(folder / image)
    masks: dict[str, str | None] = {label: None for label in LABELS if label in known}
    for label, region in made.masks.items():
        path = Path("masks") / f"{name}_{label}.png"
        Image.fromarray(region).save(folder / path)
        masks[label] = path.as_posix()
    kept: Item = {key: item[key] for key in ("patient", "group", "view", "age", "sex") if key in item}
    return {
        "image": image.as_posix(),
        **kept,
        "label": [1 if label in made.masks else 0 if label in known else None for label in LABELS],
        "boxes": [list(box[1:]) for box in made.boxes],
        "box_labels": [LABELS.index(box[0]) for box in made.boxes],
        "mask": masks,
        "mask_origin": "expert",
        "source": "simulated",
        "simulated_on": Path(item["image"]).name,
    }


def make_data_set(
    datalist: Path,
    root: Path,
    output: Path,
    sections: dict[str, int | None],
    seed: int,
    workers: int,
    among: Sequence[str] = SIMULATED,
) -> dict[str, int]:
    """Write a data set of radiographs with simulated findings; it appears whole or not at all.

    Args:
        datalist: whose images are taken.
        root: folder that its paths are relative to.
        output: folder to make.
        sections: section -> most images to make in it; None for all.
        seed: of the set.
        workers: processes.
        among: classes that are put in.

    Returns:
        Section -> images made.

    Raises:
        InputError: the folder exists and is not empty, no image is free of findings, or none has lungs that hold any.
    """
    data: Item = {"labels": list(LABELS)}
    known, taken = load_labels(datalist), set[str]()
    with new_folder(output, "images", "masks") as folder:
        for place, (section, most) in enumerate(sections.items()):
            free = [item for item in load_datalist(datalist, section, root, require=()) if _is_free(item)]
            if not free:
                raise InputError(f"no image of section {section} is free of findings", datalist, "add some")
            order = np.random.default_rng((seed, place)).permutation(len(free))
            free = [free[i] for i in sorted(order[:most])]
            jobs = [
                Job(number, _new_name(f"{Path(item['image']).stem}_{number:05d}", section, taken), item, lungs)
                for number, (item, (lungs, _)) in enumerate(zip(free, outline_lungs(free), strict=True))
                if is_plausible(lungs)
            ]
            write = partial(write_simulated, folder=folder, seed=seed + place, known=known, among=among)
            with worker_pool(workers) as pool:
                made = list(tqdm(pool.map(write, jobs, chunksize=8), total=len(jobs), desc=section))
            data[section] = [item for item in made if item is not None]
            if free and not data[section]:
                reason = f"no image of section {section} has lungs that hold findings ({len(free)} looked at)"
                raise InputError(reason, datalist, "give frontal chest radiographs of at least 64 x 64 pixels")
        write_datalist(data, folder / "datalist.json")
    return {section: len(data[section]) for section in sections}


def _new_name(name: str, section: str, taken: set[str]) -> str:
    """A name that no image has yet: many data sets call all of their images alike, in other folders."""
    while name in taken:
        name = f"{name}_{section}"
    taken.add(name)
    return name


def _is_free(item: Item) -> bool:
    label = item.get("label") or [None]  # an image without labels may have anything
    return all(value == 0 for value in label)  # what is not annotated may be there


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Make a data set; returns the exit status."""
    parser = ToolParser(
        prog="cxr simulate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--datalist", type=Path, required=True, help="datalist whose images without findings are used")
    parser.add_argument(
        "--root", type=Path, help="folder that its paths are relative to (default: the datalist's folder)"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    parser.add_argument(
        "--sections",
        nargs="+",
        choices=SPLITS,
        default=["training", "validation"],
        help="sections whose images are taken (default: training validation)",
    )
    for section in SPLITS:
        parser.add_argument(f"--{section}", type=int, help=f"at most this many of the section {section}; default all")
    parser.add_argument(
        "--findings",
        nargs="+",
        choices=SIMULATED,
        default=SIMULATED,
        metavar="CLASS",
        help=f"which are put in (default: all, {' '.join(SIMULATED)})",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(argv)
    for section in SPLITS:
        if getattr(args, section) is not None and section not in args.sections:
            raise InputError("is of a section that is not made", f"--{section}", f"add {section} to --sections")
    torch.set_num_threads(args.workers)
    sections = {section: getattr(args, section) for section in args.sections}
    made = make_data_set(
        args.datalist, args.root or args.datalist.parent, args.output, sections, args.seed, args.workers, args.findings
    )
    counts = ", ".join(f"{count} {section}" for section, count in made.items())
    print(f"wrote {counts} images to {args.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
