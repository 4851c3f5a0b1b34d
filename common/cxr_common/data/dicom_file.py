"""Open a DICOM file within bounds: bytes that inflate, elements that are parsed."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import BinaryIO

from cxr_common.data.limits import MAX_BYTES, inflate
from cxr_common.data.pydicom_compat import UID, Dataset, meta_length, parse_dataset
from cxr_common.errors import InputError

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_EXPLICIT = b"1.2.840.10008.1.2.1".ljust(len(_DEFLATED), b"\0")
#: Reads that parsing may take, two or three for an element: a radiograph takes some hundred, this many a second.
MAX_READS = 200_000
_EXPORT_AGAIN = "copy or export the file again"


class _Counted(io.BufferedIOBase):
    """A file that ends the parsing of millions of tiny elements, which would take minutes."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path, self._left = file, path, MAX_READS
        self.seek, self.tell = file.seek, file.tell  # type: ignore[method-assign]

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes.

        Raises:
            InputError: there were too many reads.
        """
        self._left -= 1
        if self._left < 0:
            raise InputError(f"the DICOM file has over {MAX_READS // 2:,} elements", self._path, _EXPORT_AGAIN)
        return self._file.read(-1 if size is None else size)


def read_dataset(path: Path, pixels: bool = True) -> Dataset:
    """Read a DICOM file, with or without preamble and file meta information.

    Args:
        path: the file.
        pixels: whether to read them too; without them a large file is opened in a moment.

    Raises:
        InputError: it inflates to too much, or holds too many elements.
    """
    with open(path, "rb") as file:
        if _DEFLATED not in file.read(4096):
            file.seek(0)
            return parse_dataset(_Counted(file, path), pixels)
        # pydicom would inflate it whatever its size, so it gets the same file in Explicit VR Little Endian.
        file.seek(0)
        meta = file.read(meta_length(file))
        content = io.BytesIO(meta.replace(_DEFLATED, _EXPLICIT, 1))
        content.seek(0, io.SEEK_END)
        try:
            for part in inflate(iter(lambda: file.read(1 << 16), b""), -zlib.MAX_WBITS):
                content.write(part)
                if content.tell() > MAX_BYTES:
                    reason = f"the file inflates to over {MAX_BYTES >> 20} MiB"
                    raise InputError(reason, path, "give a single radiograph")
        except zlib.error as error:
            raise InputError("the compressed file is damaged or cut off", path, _EXPORT_AGAIN) from error
    content.seek(0)
    dataset = parse_dataset(_Counted(content, path), pixels)
    dataset.file_meta.TransferSyntaxUID = UID(_DEFLATED.decode())
    return dataset
