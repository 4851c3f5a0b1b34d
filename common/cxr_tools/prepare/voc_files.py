"""What a data set in the format of PASCAL VOC holds: names of images, objects of an annotation, files of an image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

from cxr_common.errors import InputError

#: In the order of the numbers 1 to 20 of VOC's label maps.
VOC_CLASSES: tuple[str, ...] = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
#: Folders of label maps; the first that is there is used.
LABEL_MAP_FOLDERS: tuple[str, ...] = ("SegmentationClass", "SegmentationClassAug")
_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class VocImage:
    """Files of one image.

    Attributes:
        name: its name in lists, such as 2007_000032.
        image: the picture.
        annotation: XML of its objects, if there is one.
        label_map: palette PNG of its classes, if there is one.
    """

    name: str
    image: Path
    annotation: Path | None
    label_map: Path | None


@dataclass(frozen=True)
class VocObjects:
    """Objects of one image.

    Attributes:
        size: (width, height) that the annotation gives for the image; None where it gives none.
        classes: index of each object's class in :data:`VOC_CLASSES`.
        boxes: xyxy of each, half-open, 0-based.
    """

    size: tuple[int, int] | None
    classes: list[int]
    boxes: list[list[float]]


def find_images(root: Path, label_maps: str | None = None) -> dict[str, VocImage]:
    """All images of a data set, by name.

    Args:
        root: folder with JPEGImages, and Annotations or a folder of label maps.
        label_maps: folder of label maps there, or an absolute path; None takes the first of :data:`LABEL_MAP_FOLDERS`
            that is there.

    Raises:
        InputError: a folder is missing, or two images have one name.
    """
    pictures = root / "JPEGImages"
    if not pictures.is_dir():
        action = "give the folder that holds JPEGImages, such as VOCdevkit/VOC2012"
        raise InputError("has no folder JPEGImages", root, action)
    if label_maps is None:
        label_maps = next((name for name in LABEL_MAP_FOLDERS if (root / name).is_dir()), "")
    elif not (root / label_maps).is_dir():
        found = ", ".join(name for name in LABEL_MAP_FOLDERS if (root / name).is_dir()) or "none"
        raise InputError(f"has no folder {label_maps}", root, f"folders of label maps there: {found}")
    if not label_maps and not (root / "Annotations").is_dir():
        reason = f"has neither Annotations nor {' nor '.join(LABEL_MAP_FOLDERS)}"
        raise InputError(reason, root, "unpack the annotations beside JPEGImages")
    images: dict[str, VocImage] = {}
    for path in sorted(pictures.iterdir()):
        if path.suffix.lower() not in _SUFFIXES:
            continue
        if path.stem in images:
            raise InputError(f"has the same name as {images[path.stem].image.name}", path, "keep one of them")
        annotation = root / "Annotations" / f"{path.stem}.xml"
        label_map = root / label_maps / f"{path.stem}.png"
        images[path.stem] = VocImage(
            path.stem,
            path,
            annotation if annotation.is_file() else None,
            label_map if label_maps and label_map.is_file() else None,
        )
    return images


def read_list(root: Path, name: str) -> list[str]:
    """Names of the images of ``ImageSets/Segmentation/<name>.txt``, without repetitions.

    A line may also be a pair of paths, as the lists of SegmentationClassAug have it: the name of the first counts.

    Raises:
        InputError: no such list, or it is empty.
    """
    path = root / "ImageSets" / "Segmentation" / f"{name}.txt"
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        there = ", ".join(sorted(p.stem for p in path.parent.glob("*.txt"))) or "none"
        raise InputError((error.strerror or str(error)).lower(), path, f"lists there: {there}") from None
    entries = [Path(line.split()[0]) for line in lines if line.strip()]
    names = [entry.stem if entry.suffix.lower() in _SUFFIXES else entry.name for entry in entries]
    if not names:
        raise InputError("names no image", path)
    return list(dict.fromkeys(names))


def read_objects(path: Path) -> VocObjects:
    """Read the objects of an annotation; difficult ones count, parts of objects do not.

    VOC's boxes are 1-based and inclusive at both ends: xmin 1, xmax 500 is the whole width of 500 pixels.

    Args:
        path: the XML file.

    Raises:
        InputError: it is no such file, or names another class.
    """
    try:
        tree = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError) as error:
        raise InputError(f"cannot be read as XML ({error})", path) from None
    classes, boxes = [], []
    for n, thing in enumerate(tree.findall("object"), 1):
        name = (thing.findtext("name") or "").strip()
        plain = re.sub("[^a-z]", "", name.lower())  # some copies write "tv/monitor" and "potted plant"
        if plain not in VOC_CLASSES:
            raise InputError(f"object {n} is of the unknown class {name!r}", path, f"classes: {', '.join(VOC_CLASSES)}")
        try:
            x0, y0, x1, y1 = (float(thing.findtext(f"bndbox/{k}") or "") for k in ("xmin", "ymin", "xmax", "ymax"))
        except ValueError:
            raise InputError(f"object {n} ({name}) has no box of four numbers", path) from None
        if x1 < x0 or y1 < y0:
            raise InputError(f"object {n} ({name}) has an inverted box", path)
        classes.append(VOC_CLASSES.index(plain))
        boxes.append([round(v, 4) for v in (x0 - 1, y0 - 1, x1, y1)])
    try:
        width, height = (int(float(tree.findtext(f"size/{k}") or 0)) for k in ("width", "height"))
    except ValueError:
        raise InputError("has a size that is not a number", path) from None
    return VocObjects((width, height) if width and height else None, classes, boxes)


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) by the header.

    Raises:
        InputError: it is not a picture.
    """
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, SyntaxError) as error:
        raise InputError(f"is not a picture ({error})", path) from None
