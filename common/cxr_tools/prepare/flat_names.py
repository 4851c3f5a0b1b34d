"""File names in one folder for images, or masks of images, that lie in many."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import PurePosixPath

#: Bytes that file systems allow, less a suffix.
_LONGEST = 200
_NOT_IN_NAMES = re.compile(r'[\s/\\:*?"<>|]')


class FlatNames:
    """Gives each image of a folder, and each class of it, a name that tells what it is, and no two the same one."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[str, str]] = {}

    def stem(self, image: str, label: str = "") -> str:
        """The name without a suffix; the same each time.

        Args:
            image: path of the image.
            label: class, for a mask of it.
        """
        # The whole path, so that images of one name in two folders keep apart.
        parts = [part for part in PurePosixPath(image).with_suffix("").parts if part != ".."]
        text = _NOT_IN_NAMES.sub("_", "_".join([*parts, label] if label else parts))
        # Some file systems know no case; x.png and x.jpg, or a/b.png and a_b.png, make the same text.
        taken = self._owners.setdefault(text.casefold(), (image, label)) != (image, label)
        if taken or len(os.fsencode(text)) > _LONGEST:
            text = f"{text[:40]}_{hashlib.sha256(f'{image}/{label}'.encode()).hexdigest()[:16]}"
        return text
