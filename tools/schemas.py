"""Write the JSON Schemas of datalist.json, findings.json and thresholds.json: ``python -m tools.schemas``.

They come from the models that the package itself checks these files with.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import TypeAdapter

from cxr_common.cli import one_line_errors
from cxr_common.data.datalist_schema import Datalist
from cxr_common.files import write_text
from cxr_common.findings.record_models import BoxThresholdsRecord, FindingsRecord, MapThresholdsRecord
from tools.repository import REPOSITORY

FOLDER = REPOSITORY / "docs" / "schemas"
MODELS: dict[str, TypeAdapter[Any]] = {
    "datalist": TypeAdapter(Datalist),
    "findings": TypeAdapter(FindingsRecord),
    "thresholds": TypeAdapter(BoxThresholdsRecord | MapThresholdsRecord),
}


def schema(name: str) -> str:
    """The JSON Schema (draft 2020-12) of one of :data:`MODELS`, as text."""
    content = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"{name}.json"}
    return json.dumps(content | {k: v for k, v in MODELS[name].json_schema().items() if k != "title"}, indent=2) + "\n"


@one_line_errors
def main() -> int:
    """Write the schemas; returns the exit status."""
    for name in MODELS:
        write_text(schema(name), FOLDER / f"{name}.schema.json")
        print(f"wrote docs/schemas/{name}.schema.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
