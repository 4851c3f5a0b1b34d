"""Where this repository's parts lie."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
BUNDLES = REPOSITORY / "bundles"
