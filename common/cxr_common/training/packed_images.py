"""Images of one size in one file, which is mapped into memory one image at a time."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from cxr_common.errors import InputError
from cxr_common.files import write_json
from cxr_common.json_files import read_json
from cxr_common.training.image_key import file_state, key_of

Picture = tuple[torch.Tensor, tuple[int, int]]

#: How pixels are packed, and what a pixel of 1 becomes.
DTYPES = {"uint8": 255, "float16": 1, "float32": 1}


class PackedImages:
    """A store of images: ``<key>.bin`` has a record for each file of a list, ``<key>.json`` says what is in it.

    A record is filled when its image is first asked for. It holds a checksum, so one that is not filled, or only in
    part because a process was killed, does not count and is filled again. Processes that fill one record at the same
    time write the same bytes. Nothing stays open, so the store goes to loader processes as it is.

    Args:
        folder: made where missing.
        paths: the image files, in the order of the data; other lists have files of their own.
        description: of what `make` does.
        make: reads an image file: (C, X, Y) float, the same shape for all files, and the original's (width, height).
        dtype: one of :data:`DTYPES`. uint8 takes pixels of 0 to 1 and keeps them to 1/510, float16 keeps those to
            1/4096, float32 exactly.
    """

    def __init__(
        self,
        folder: str | Path,
        paths: Sequence[str],
        description: str,
        make: Callable[[str], Picture],
        dtype: str = "float16",
    ) -> None:
        if dtype not in DTYPES:
            raise InputError(f"{dtype!r} is not a type of packed pixels", "image cache", f"use {', '.join(DTYPES)}")
        self.dtype, self.description, self.make = dtype, description, make
        self.rows = {path: row for row, path in enumerate(dict.fromkeys(paths))}
        key = key_of([description, dtype, *map(file_state, self.rows)])
        self.about, self.file = Path(folder) / f"{key}.json", Path(folder) / f"{key}.bin"
        self._record: np.dtype | None = None

    def __call__(self, path: str) -> Picture:
        """What `make` gives for a file of the list, as it is packed: the same the first time and later.

        Raises:
            InputError: of `make`; or the image has another shape than the first, its pixels do not fit the type, or
                there is no room for it.
        """
        record = self._known_record()
        values = None if record is None else self._read(path, record)
        if values is None:
            values = self._write(path, *self.make(path))
        pixels = torch.from_numpy(values["pixels"].astype(np.float32)).div_(DTYPES[self.dtype])
        width, height = (int(n) for n in values["size"])
        return pixels, (width, height)

    def _read(self, path: str, record: np.dtype) -> np.void | None:
        row = np.memmap(self.file, record, "r", offset=self.rows[path] * record.itemsize, shape=(1,))[0]
        body = row["body"].tobytes()
        return np.frombuffer(body, record["body"])[0] if zlib.crc32(body) == row["checksum"] else None

    def _write(self, path: str, pixels: torch.Tensor, size: tuple[int, int]) -> np.void:
        record = self._known_record() or self._first_record(list(pixels.shape))
        row = np.zeros(1, record)
        shape = row["body"]["pixels"].shape[1:]
        if shape != tuple(pixels.shape):
            reason = f"is of {tuple(pixels.shape)} where others are of {shape}"
            raise InputError(reason, path, "resize all images to one size, or use --image_cache persistent")
        row["body"]["pixels"], row["body"]["size"] = self._packed(pixels.numpy(), path), size
        row["checksum"] = zlib.crc32(row["body"].tobytes())
        try:
            with self.file.open("r+b") as file:
                file.seek(self.rows[path] * record.itemsize)
                file.write(row.tobytes())
        except OSError as error:
            raise self._no_room(error, record) from error
        return row["body"][0]

    def _packed(self, pixels: np.ndarray, path: str) -> np.ndarray:
        if self.dtype != "uint8":
            return pixels.astype(self.dtype)
        if not (pixels.min() >= 0 and pixels.max() <= 1):
            raise InputError("has pixels that are not in 0 to 1", path, "use --cache_dtype float16")
        return np.rint(pixels * DTYPES["uint8"]).astype(np.uint8)

    def _known_record(self) -> np.dtype | None:
        """How a record is laid out, where the file is there in its whole length."""
        if self._record is None and self.about.is_file() and self.file.is_file():
            record = _record(read_json(self.about, "remove it")["shape"], self.dtype)
            if self.file.stat().st_size == len(self.rows) * record.itemsize:
                self._record = record
        return self._record

    def _first_record(self, shape: list[int]) -> np.dtype:
        """Make the file, of its whole length but without content, which takes no room yet; then say that it is there.

        Several processes may do so at once: each makes it as long, and none takes away what is in it.
        """
        record = _record(shape, self.dtype)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab") as file:
                file.truncate(len(self.rows) * record.itemsize)
        except OSError as error:
            raise self._no_room(error, record) from error
        about = {"images": len(self.rows), "shape": shape, "dtype": self.dtype, "made by": self.description}
        write_json(about, self.about)
        self._record = record
        return record

    def _no_room(self, error: OSError, record: np.dtype) -> InputError:
        room = f"it grows to {len(self.rows) * record.itemsize:,} bytes: check space and rights"
        return InputError(f"cannot be written ({error.strerror or error})", self.file, room)


def _record(shape: Sequence[int], dtype: str) -> np.dtype:
    body = np.dtype([("size", "<u4", (2,)), ("pixels", dtype, tuple(shape))])
    return np.dtype([("checksum", "<u4"), ("body", body)])
