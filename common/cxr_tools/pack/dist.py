"""A folder of zips with their hashes and an index."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from cxr_common.files import write_text
from cxr_tools.pack.archive import write_zip
from cxr_tools.pack.bundle import as_index, packed_files, read_facts


def write_dist(
    bundles: Sequence[Path],
    output: Path,
    source: str = "",
    docs: Path | None = None,
    pins: Mapping[str, str] | None = None,
) -> None:
    """Write a zip for each bundle, SHA256SUMS, and model_info.json, which the model zoo and `cxr get` read.

    Args:
        bundles: their folders.
        output: folder of the zips.
        source: address where they will lie; without it the index names them by their file names.
        docs: as :func:`~cxr_tools.pack.bundle.packed_files` takes it.
        pins: as :func:`~cxr_tools.pack.bundle.packed_files` takes it.

    Raises:
        InputError: something of a bundle is missing, or does not fit together.
    """
    entries, sums = {}, []
    for bundle in bundles:
        bundle = bundle.resolve()
        key = f"{bundle.name}_v{read_facts(bundle)['version']}"
        path = output / f"{key}.zip"
        write_zip(path, bundle.name, packed_files(bundle, docs, pins))
        content = path.read_bytes()
        address = f"{source.rstrip('/')}/{path.name}" if source else path.name
        sha256 = hashlib.sha256(content).hexdigest()
        entries[key] = {"checksum": hashlib.sha1(content).hexdigest(), "sha256": sha256, "source": address}
        sums.append(f"{sha256}  {path.name}\n")
        print(f"{path}  {len(content) / 1e6:.1f} MB")
    write_text("".join(sums), output / "SHA256SUMS")
    write_text(as_index(entries), output / "model_info.json")
