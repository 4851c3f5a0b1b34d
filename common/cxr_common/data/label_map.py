"""Label maps: one picture with one class per pixel, as PASCAL VOC has its segmentations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cxr_common.axes import picture_to_tensor, tensor_to_picture
from cxr_common.data.limits import check_size
from cxr_common.errors import InputError
from cxr_common.files import replacing

#: Pixels that no score counts: VOC's borders of objects, and objects that are too hard to tell.
VOID = 255

LabelMap = NDArray[np.uint8]


def read_label_map(path: str | Path, n_classes: int, size: tuple[int, int] | None = None) -> LabelMap:
    """Read a label map by the numbers it stores; those of a palette PNG are its indices, whatever the colours.

    Args:
        path: PNG of 8 bits, with a palette (VOC) or grey (many copies of SegmentationClassAug).
        n_classes: classes besides the background.
        size: (width, height) of the image that it belongs to.

    Returns:
        (width, height): 0 background, i + 1 class i, :data:`VOID`.

    Raises:
        InputError: the file cannot be read, is in colour, holds another number, or has another size than its image.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            check_size(image.width, image.height, path, len(image.getbands()))
            if image.mode not in ("P", "L"):
                reason = f"is not a label map: its pixels are of the kind {image.mode}, not numbers of classes"
                raise InputError(reason, path, "give a palette or grey PNG of 8 bits, whose numbers are the classes")
            picture = np.array(image, dtype=np.uint8)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or "the file is damaged or of an unknown kind"
        raise InputError(reason.lower(), path, "give a palette or grey PNG of 8 bits") from None
    strange = picture[(picture > n_classes) & (picture != VOID)]
    if strange.size:
        reason = f"holds the value {strange[0]}; classes are 1 to {n_classes}, 0 is background and {VOID} void"
        raise InputError(reason, path, "give a label map of these classes")
    label_map: LabelMap = np.ascontiguousarray(picture_to_tensor(picture))
    if size is not None and label_map.shape != size:
        found, expected = (" x ".join(map(str, shape)) for shape in (label_map.shape, size))
        reason = f"the label map is of {found} pixels, its image of {expected}"
        raise InputError(reason, path, "give label maps of the image's size")
    return label_map


def write_label_map(label_map: LabelMap, path: str | Path) -> None:
    """Write a palette PNG in VOC's colours, by a temporary name.

    Args:
        label_map: (width, height), as :func:`read_label_map` gives it.
        path: where to; an existing file is replaced.
    """
    image = Image.fromarray(np.ascontiguousarray(tensor_to_picture(label_map)))
    image.putpalette(voc_palette().tobytes())
    with replacing(path) as temporary:
        image.save(temporary, format="PNG")


def voc_palette() -> NDArray[np.uint8]:
    """VOC's colours (256, 3): the bits of a number, dealt out to red, green and blue in turn, highest bit first."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    red, green, blue = bits[:, 0::3], bits[:, 1::3], bits[:, 2::3]
    return np.stack([(c << (7 - np.arange(c.shape[1]))).sum(1) for c in (red, green, blue)], 1).astype(np.uint8)
