"""Write configs, cards and the page of options of this repository: ``python -m tools.bundles`` or ``make bundles``."""

from __future__ import annotations

import sys

from cxr_common.cli import one_line_errors
from cxr_common.files import write_text
from tools.bundles import reference
from tools.bundles.generate import write
from tools.repository import BUNDLES


@one_line_errors
def main() -> int:
    """Write what bundle.yaml files and templates decide, and name what changed; returns the exit status."""
    changed = [path for page in sorted(BUNDLES.glob("*/bundle.yaml")) for path in write(page.parent)]
    text = reference.page()
    if not reference.PAGE.exists() or reference.PAGE.read_text(encoding="utf-8") != text:
        write_text(text, reference.PAGE)
        changed.append(reference.PAGE)
    for path in changed:
        print(f"wrote {path.relative_to(BUNDLES.parent)}")
    if not changed:
        print("all configs are as their templates have them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
