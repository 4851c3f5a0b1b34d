"""What an archive's results are made from: one bundle, one set of weights and options for each output folder."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_common.files import write_json
from cxr_common.json_files import read_json
from cxr_common.loading import LoadedBundle

FILE = "archive.json"


def settle(output: Path, bundle: LoadedBundle, settings: Mapping[str, Any], buckets: int) -> tuple[int, bytes]:
    """Note what the results are made from, or check that it is what it was.

    Args:
        output: folder of the results.
        bundle: that makes them.
        settings: what they depend on besides, as JSON has it.
        buckets: of the partition by hash, where this is the first run.

    Returns:
        Buckets, and the key of the names of files, both of the first run.

    Raises:
        InputError: the folder has results of something else.
    """
    thresholds = bundle.config.get_parsed_content("findings_writer#thresholds").as_dict()
    made_from = {"model": bundle.model.as_dict(), "thresholds": thresholds, **settings}
    made_from = json.loads(json.dumps(made_from))
    if not (output / FILE).exists():
        write_json({"made_from": made_from, "buckets": buckets, "key": secrets.token_hex(16)}, output / FILE)
    known = read_json(output / FILE, "give another --output")
    try:
        before, buckets, key = known["made_from"], int(known["buckets"]), bytes.fromhex(known["key"])
        changed = [name for name in made_from if before.get(name) != made_from[name]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("is not what cxr archive writes", output / FILE, "give another --output") from None
    if changed or buckets < 1:
        raise InputError(f"has results of another run ({', '.join(changed)})", output, "give another --output")
    return buckets, key
