"""A folder of zips with their hashes and an index."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from cxr_common.files import write_text
from cxr_common.json_files import Record, check_record, read_json
from cxr_tools.pack.archive import write_zip
from cxr_tools.pack.bundle import as_index, packed_files, read_facts

INDEX = "model_info.json"


class Index(Record):
    """An object; its keys are names of bundles with their versions."""


class Entry(Record):
    """What the index says of a zip."""

    checksum: str
    sha256: str
    source: str


def write_dist(
    bundles: Sequence[Path],
    output: Path,
    source: str = "",
    docs: Path | None = None,
    pins: Mapping[str, str] | None = None,
) -> None:
    """Write a zip for each bundle, SHA256SUMS, and model_info.json, which the model zoo and `cxr get` read.

    Zips of earlier calls that are still in the folder, as they were, stay in both files.

    Args:
        bundles: their folders.
        output: folder of the zips.
        source: address where they will lie; without it the index names them by their file names.
        docs: as :func:`~cxr_tools.pack.bundle.packed_files` takes it.
        pins: as :func:`~cxr_tools.pack.bundle.packed_files` takes it.

    Raises:
        InputError: something of a bundle is missing, or does not fit together; the folder's index is not one.
    """
    entries = read_entries(output)
    for bundle in bundles:
        bundle = bundle.resolve()
        key = f"{bundle.name}_v{read_facts(bundle)['version']}"
        path = output / f"{key}.zip"
        write_zip(path, bundle.name, packed_files(bundle, docs, pins))
        content = path.read_bytes()
        address = f"{source.rstrip('/')}/{path.name}" if source else path.name
        sha256 = hashlib.sha256(content).hexdigest()
        entries[key] = {"checksum": hashlib.sha1(content).hexdigest(), "sha256": sha256, "source": address}
        print(f"{path}  {len(content) / 1e6:.1f} MB")
    sums = [f"{entry['sha256']}  {key}.zip\n" for key, entry in sorted(entries.items())]
    write_text("".join(sums), output / "SHA256SUMS")
    write_text(as_index(entries), output / INDEX)


def read_entries(output: Path) -> dict[str, dict[str, str]]:
    """Name and version -> entry of the zips that the index of a folder names, and that have not changed since.

    Raises:
        InputError: there is an index that :func:`write_dist` did not write.
    """
    path, found = output / INDEX, {}
    if not path.exists():
        return {}
    action = "pack into another folder, or remove this file"
    for key, entry in read_json(path, action, Index).items():
        known, file = check_record(entry, Entry, path, action), output / f"{key}.zip"
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == known.sha256:
            found[key] = known.model_dump()
    return found
