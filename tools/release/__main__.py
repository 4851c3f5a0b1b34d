"""Make a release ready: ``python -m tools.release``, see docs/how-to/release.md. Nothing is pushed.

It checks that versions, changelogs, tables, hashes and terms agree, then writes zips, wheels, a folder for Hugging Face
for each bundle, and what a pull request to MONAI's model zoo holds; all of it passes `cxr verify`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.files import file_sha256, write_text
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.markdown import table
from cxr_tools.pack.bundle import as_index
from cxr_tools.pack.dist import write_dist
from cxr_verify.options import Options
from tools.bundles.generate import CONSTRAINTS, read_pins
from tools.release.agree import check_bundle, check_package
from tools.release.card import HOST
from tools.release.facts import read_hub
from tools.release.folders import model_entry, read_zip, repository_files, write_files, zoo_files
from tools.release.verified import check_verified
from tools.release.wheels import build_wheels
from tools.repository import BUNDLES, REPOSITORY

#: Versions that were given away, with their contents' hashes; `cxr verify --record` writes it.
RELEASED = BUNDLES / "released.json"


def make_parser() -> ToolParser:
    """The parser of its options."""
    parser = ToolParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("bundles", nargs="*", type=Path, metavar="BUNDLE", help="folders (default: all in bundles/)")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "dist", help="folder (default: dist)")
    parser.add_argument(
        "--owner", default="cxr-bundles", help="whose repositories on Hugging Face these are (default: cxr-bundles)"
    )
    parser.add_argument("--source", default="", metavar="URL", help="where the zips will lie, for model_info.json")
    parser.add_argument("--final", action="store_true", help="refuse a changelog whose lines are still Unreleased")
    parser.add_argument("--static", action="store_true", help="verify files only, run nothing (faster)")
    return parser


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Check, write, verify, and put it all into the output folder; returns the exit status."""
    args = make_parser().parse_args(argv)
    bundles = [b.resolve() for b in args.bundles] or sorted(page.parent for page in BUNDLES.glob("*/bundle.yaml"))
    check_package(REPOSITORY, args.final)
    for bundle in bundles:
        check_bundle(bundle)
    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".release-", dir=args.output) as folder:
        stage = Path(folder)
        write_dist(bundles, stage, args.source, REPOSITORY / "docs", read_pins(CONSTRAINTS))
        _add_folders(stage, bundles, args.owner)
        _add_wheels(stage)
        _verify(stage, args.static)
        _put(stage, args.output)
    print(f"{args.output}: ready; docs/how-to/release.md says how each is pushed")
    return 0


def _add_folders(stage: Path, bundles: Sequence[Path], owner: str) -> None:
    rows = []
    for bundle in bundles:
        repository = f"{owner}/{bundle.name}"
        (path,) = stage.glob(f"{bundle.name}_v*.zip")
        files = read_zip(path)
        write_files(repository_files(files, read_hub(bundle), repository), stage / "huggingface" / bundle.name)
        write_files(zoo_files(files, repository), stage / "zoo" / "models" / bundle.name)
        write_files(model_entry(files, repository), stage / "zoo" / "hf_models" / bundle.name)
        title = json.loads(files["configs/metadata.json"])["name"]
        rows.append([bundle.name, title, f"[{repository}]({HOST}/{repository})"])
    index = json.loads((stage / "model_info.json").read_text(encoding="utf-8"))
    entries = {key: {part: entry[part] for part in ("checksum", "source")} for key, entry in index.items()}
    write_text(as_index(entries), stage / "zoo" / "model_info.json")
    text = Path(__file__).with_name("zoo.md").read_text(encoding="utf-8")
    write_text(text.format(rows=table(["Model", "Description", "HF Repository"], rows)), stage / "zoo" / "README.md")


def _add_wheels(stage: Path) -> None:
    sums = (stage / "SHA256SUMS").read_text(encoding="utf-8")
    for wheel in build_wheels(REPOSITORY, stage):
        sums += f"{file_sha256(wheel)}  {wheel.name}\n"
        print(wheel.name)
    write_text(sums, stage / "SHA256SUMS")


def _verify(stage: Path, static: bool) -> None:
    index = json.loads((stage / "model_info.json").read_text(encoding="utf-8"))
    for path in sorted(stage.glob("*.zip")):
        if hashlib.sha1(path.read_bytes()).hexdigest() != index[path.stem]["checksum"]:
            raise InputError("is not what model_info.json says", path, "make release again")
    files = Options(static=True)
    released = RELEASED if RELEASED.is_file() else None
    check_verified(sorted(stage.glob("*.zip")), Options(static=True, released=released))
    check_verified(sorted((stage / "huggingface").iterdir()), Options(static=static))
    check_verified(sorted((stage / "zoo" / "models").iterdir()), files)
    check_verified(sorted((stage / "zoo" / "hf_models").iterdir()), files)


def _put(stage: Path, output: Path) -> None:
    """Move all from the stage to its place; what has the same name there goes."""
    for path in sorted(stage.iterdir()):
        target = output / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)


if __name__ == "__main__":
    sys.exit(main())
