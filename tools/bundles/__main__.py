"""Write the configs of the bundles in this repository: ``python -m tools.bundles`` or ``make bundles``."""

from __future__ import annotations

import sys

from cxr_common.cli import one_line_errors
from tools.bundles.generate import write
from tools.repository import BUNDLES


@one_line_errors
def main() -> int:
    """Write what bundle.yaml files and templates decide, and name what changed; returns the exit status."""
    changed = [path for page in sorted(BUNDLES.glob("*/bundle.yaml")) for path in write(page.parent)]
    for path in changed:
        print(f"wrote {path.relative_to(BUNDLES.parent)}")
    if not changed:
        print("all configs are as their templates have them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
