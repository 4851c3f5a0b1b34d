"""Pack bundles into zips that run alone: ``python -m tools.pack [BUNDLE ...]``. See docs/how-to/pack.md."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.files import write_text
from tools.pack.archive import write_zip
from tools.pack.bundle import as_index, packed_files, read_facts
from tools.repository import BUNDLES, REPOSITORY


@one_line_errors
def main(arguments: list[str] | None = None) -> int:
    """Write a zip for each bundle, their hashes, and their entries for the zoo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.pack", description=__doc__)
    parser.add_argument("bundles", nargs="*", type=Path, metavar="BUNDLE", help="folders (default: all in bundles/)")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "dist", help="folder of the zips (default: dist)")
    parser.add_argument("--source", default="", metavar="URL", help="where the zips will lie, for model_info.json")
    given = parser.parse_args(arguments)
    entries, sums = {}, []
    for bundle in given.bundles or sorted(page.parent for page in BUNDLES.glob("*/bundle.yaml")):
        bundle = bundle.resolve()
        key = f"{bundle.name}_v{read_facts(bundle)['version']}"
        path = given.output / f"{key}.zip"
        write_zip(path, bundle.name, packed_files(bundle))
        content = path.read_bytes()
        source = f"{given.source.rstrip('/')}/{path.name}" if given.source else path.name
        entries[key] = {"checksum": hashlib.sha1(content).hexdigest(), "source": source}
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {path.name}\n")
        print(f"{path}  {len(content) / 1e6:.1f} MB")
    write_text("".join(sums), given.output / "SHA256SUMS")
    write_text(as_index(entries), given.output / "model_info.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
