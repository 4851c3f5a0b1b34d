"""Look-up tables of DICOM: modality LUT, VOI LUT and colour palettes (PS3.3 C.11.1.1, C.7.6.3.1.5)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cxr_common.data.dicom_elements import items, numbers
from cxr_common.data.grey_range import LEAST_BITS
from cxr_common.data.pydicom_compat import Dataset, apply_color_lut, byte_order
from cxr_common.data.scan import RadiographWarning
from cxr_common.errors import InputError


class Table(NamedTuple):
    """A look-up table.

    Attributes:
        entries: (n,) float64.
        first: the value that takes the first entry.
        largest: the output value that stands for white.
    """

    entries: np.ndarray
    first: int
    largest: float

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Values below the first mapped one take the first entry, values above the last one the last entry.

        pydicom's apply_modality_lut and apply_voi keep the index in the type of the pixels or of the table, where it
        wraps: with an 8-bit table of 4096 entries, or a first value below 0.
        """
        return self.entries[np.clip(np.rint(values).astype(np.int64) - self.first, 0, len(self.entries) - 1)]


def first_table(dataset: Dataset, sequence: str) -> Table | None:
    """The table of the first item of ModalityLUTSequence or VOILUTSequence; None where absent or damaged."""
    for item in items(dataset, sequence)[:1]:
        found = _entries(item, "LUTDescriptor", "LUTData", byte_order(dataset))
        if found is None:
            warnings.warn(f"{sequence} is damaged and is ignored", RadiographWarning, stacklevel=3)
            return None
        entries, first, bits = found
        return Table(entries, first, _white(int(entries.max()), bits, sequence))
    return None


def palette_to_rgb(indices: np.ndarray, dataset: Dataset, path: Path) -> np.ndarray:
    """Apply the colour palette: (rows, columns) to (rows, columns, 3) float32 in [0, 1].

    Raises:
        InputError: the palette is missing or damaged.
    """
    low, high = int(indices.min()), int(indices.max())
    values = np.arange(low, high + 1)
    try:
        if "SegmentedRedPaletteColorLookupTableData" in dataset:
            colours = apply_color_lut(values.astype(indices.dtype), dataset)[..., :3]
            bits = 8 * colours.dtype.itemsize
        else:
            colours, bits = _colours(values, dataset)
    except Exception as error:
        raise InputError("the colour palette is missing or damaged", path, "copy or export the file again") from error
    table = colours.astype(np.float32) / _white(int(colours.max()), bits, "the palette")
    return np.minimum(table, 1).astype(np.float32)[indices.astype(np.int64) - low]


def _colours(values: np.ndarray, dataset: Dataset) -> tuple[np.ndarray, int]:
    """(n, 3) entries of the palette for values, and their bits. pydicom takes big endian palettes for little ones."""
    columns, depth = [], 0
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTable"
        found = _entries(dataset, f"{keyword}Descriptor", f"{keyword}Data", byte_order(dataset))
        if found is None:
            raise ValueError(f"{keyword} is damaged")
        entries, first, bits = found
        columns.append(Table(entries, first, 0)(values))
        depth = max(depth, bits)
    return np.stack(columns, axis=-1), depth


def _entries(dataset: Dataset, descriptor: str, data: str, order: str) -> tuple[np.ndarray, int, int] | None:
    """Entries as float64, first mapped value and bits of a table; None where damaged."""
    described = numbers(dataset, descriptor)
    if len(described) != 3 or data not in dataset:
        return None
    count, first, bits = (int(v) for v in described)
    count = count % (1 << 16) or 1 << 16  # 0 means 65536, and a signed reading makes large counts negative
    value = dataset[data].value
    if isinstance(value, bytes):
        entries = np.frombuffer(value[: len(value) // 2 * 2], f"{order}u2")
        if len(value) in (count, count + count % 2):  # too short for words: entries of 8 bits, one a byte
            entries, bits = np.frombuffer(entries.astype("<u2").tobytes(), np.uint8), min(bits, 8)
    else:
        entries = np.atleast_1d(np.asarray(value if value is not None else [], np.int64)) % (1 << 16)
    entries = entries[:count].astype(np.float64)
    return (entries, first, bits) if entries.size and 1 <= bits <= 16 else None


def _white(largest: int, bits: int, what: str) -> float:
    """The output that stands for white: the end of the whole depth that the entries have, whatever is declared."""
    used = max(largest.bit_length(), min(bits, LEAST_BITS))
    if used != bits:
        reason = f"{what} declares {bits} bits, its largest entry is {largest}: taken as {used} bits"
        warnings.warn(reason, RadiographWarning, stacklevel=4)
    return float((1 << used) - 1)
