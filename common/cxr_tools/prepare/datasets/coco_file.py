"""A COCO json file, checked entry by entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cxr_common.data.datalist_schema import LONGEST_LABEL
from cxr_common.errors import InputError
from cxr_common.json_files import read_json

#: What to do about an entry that is not as COCO has it.
ACTION = "see cocodataset.org/#format-data"
#: Key of an entry -> what it is; others are numbers or text.
_KINDS: dict[str, type | tuple[type, ...]] = {"file_name": str, "bbox": list}


def read_coco(path: Path) -> dict[str, list[Any]]:
    """The lists of images, annotations and categories of a COCO json, each entry with what COCO asks for.

    Raises:
        InputError: names the entry that is not as COCO has it.
    """
    data = read_json(path, ACTION)
    for key in ("images", "annotations", "categories"):
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            raise InputError(f"has no list {key!r}", path, ACTION)
    for key, needed in (("images", ("id", "file_name")), ("categories", ("id", "name")),
                        ("annotations", ("image_id", "category_id", "bbox"))):  # fmt: skip
        for n, entry in enumerate(data[key]):
            if missing := [k for k in needed if not isinstance(entry, dict) or k not in entry]:
                raise InputError(f"has no {missing[0]!r}", f"{path} {key}[{n}]", ACTION)
            if strange := [k for k in needed if not isinstance(entry[k], _KINDS.get(k, (int, str)))]:
                raise InputError(f"{strange[0]!r} is {entry[strange[0]]!r}", f"{path} {key}[{n}]", ACTION)
            if key == "categories" and not _is_name(str(entry["name"])):
                reason = (
                    f"{str(entry['name'])[:40]!r} is not a class name: at most {LONGEST_LABEL} printable characters"
                )
                raise InputError(reason, f"{path} {key}[{n}]", "rename it")
    for key in ("images", "categories"):
        seen: dict[Any, int] = {}
        for n, entry in enumerate(data[key]):
            if (first := seen.setdefault(entry["id"], n)) != n:
                reason = f"has the id {entry['id']!r}, as {key}[{first}] has"
                raise InputError(reason, f"{path} {key}[{n}]", "give each an id of its own")
    return data


def _is_name(name: str) -> bool:
    return bool(name.strip()) and len(name) <= LONGEST_LABEL and name.isprintable()
