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
#: Bytes of the key of the names of files.
_KEY = 16


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
        InputError: the folder has results of something else, or nothing says of what.
    """
    thresholds = bundle.config.get_parsed_content("findings_writer#thresholds").as_dict()
    made_from = {"model": bundle.model.as_dict(), "thresholds": thresholds, **settings}
    made_from = json.loads(json.dumps(made_from))
    if not (output / FILE).exists():
        if _has_results(output):
            raise InputError("is missing, and there are results", output / FILE, "restore it, or give another --output")
        _begin(output, made_from, buckets)
    known = read_json(output / FILE, "give another --output")
    try:
        before, known_buckets, key = known["made_from"], known["buckets"], bytes.fromhex(known["key"])
        changed = [name for name in made_from if before.get(name) != made_from[name]]
        if not isinstance(known_buckets, int) or known_buckets < 1 or len(key) != _KEY:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("is not what cxr archive writes", output / FILE, "give another --output") from None
    if not changed:
        return known_buckets, key
    if _has_results(output):
        raise InputError(f"has results of another run ({', '.join(changed)})", output, "give another --output")
    return buckets, _begin(output, made_from, buckets)


def _begin(output: Path, made_from: Mapping[str, Any], buckets: int) -> bytes:
    """Note what the results will be made from; returns the key."""
    key = secrets.token_bytes(_KEY)
    write_json({"made_from": made_from, "buckets": buckets, "key": key.hex()}, output / FILE)
    return key


def _has_results(output: Path) -> bool:
    """Whether there is a row or another file: a run that could not begin, where Ray does not answer, left none."""
    return any(any(output.glob(pattern)) for pattern in ("results/*/*.parquet", "files/*/*"))
