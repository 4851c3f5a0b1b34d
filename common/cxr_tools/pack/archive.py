"""A zip that has the same bytes whenever and wherever it is made."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from cxr_common.files import replacing

#: The first moment that a zip can name.
EPOCH = (1980, 1, 1, 0, 0, 0)


def write_zip(path: Path, folder: str, files: Mapping[str, bytes]) -> None:
    """Write files into a zip, within one folder.

    They are stored as they are: what deflate gives depends on the version of zlib, and weights hardly get smaller.

    Args:
        path: the zip.
        folder: name of the folder in it.
        files: path in the folder -> content.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{name}", EPOCH)
            entry.create_system = 3  # Unix, wherever this runs: it decides how the rights are read
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])
