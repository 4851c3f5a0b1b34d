"""Names of code in what identifies a result: where a name is defined may change, the result stays the same."""

from __future__ import annotations

import json
import re
from typing import Any


def without_modules(value: Any) -> Any:
    """The same JSON value with ``cxr_common.a.b.Name`` as ``Name``: code that moves voids no result."""
    return json.loads(re.sub(r"\bcxr_common\.(?:[a-z_]+\.)*(?=\w)", "", json.dumps(value)))
