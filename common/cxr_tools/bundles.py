"""`cxr bundles`: the bundles that can be named."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cxr_common.cli import one_line_errors
from cxr_common.json_files import read_json
from cxr_common.loading.locate import known_bundles
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.bundle_parser import recipes


def make_parser() -> ToolParser:
    """The parser of its options."""
    return ToolParser(
        prog="cxr bundles",
        description="List the bundles that --bundle can name, with version, recipes and folder. Looked at are the "
        "folders that the environment's CXR_BUNDLES lists, ./bundles, a checkout that this package was installed from, "
        "and what cxr get fetched. Example: CXR_BUNDLES=/my/bundles cxr bundles",
    )


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Print the list; returns the exit status."""
    make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    found = known_bundles()
    for name, folder in sorted(found.items()):
        facts = read_json(folder / "configs" / "metadata.json", "name the folder of a bundle")
        print(f"{name} {facts.get('version', '')}: {facts.get('name', '')}")
        print(f"  recipes: {', '.join(recipes(folder)) or 'none'}\n  {folder}")
    if not found:
        print("none: cxr get fetches one, or CXR_BUNDLES names a folder of bundles", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
