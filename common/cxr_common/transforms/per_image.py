"""What transforms that end in the findings of an image share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from cxr_common.errors import InputError
from cxr_common.transforms.original import failure


class ImageFindingsd(MapTransform, ABC):
    """Turn a network's output into findings, one image at a time; a subclass says how.

    Args:
        keys: the network's output.
        image_key: the network's input.
        findings_key: where the findings' record goes.
        on_error: "raise", or "record": put ``{"failure": {...}}`` under `findings_key`, drop the output and go on, so
            that one image does not end a batch.
    """

    def __init__(
        self, keys: KeysCollection, image_key: str = "image", findings_key: str = "findings", on_error: str = "raise"
    ) -> None:
        super().__init__(keys)
        if on_error not in ("raise", "record"):
            raise InputError(f"on_error is {on_error!r}", type(self).__name__, "use raise or record")
        self.image_key, self.findings_key, self.on_error = image_key, findings_key, on_error

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Process one item; keys that have no part in it pass through."""
        item = dict(data)
        for key in self.keys:
            try:
                item.update(self.find(item, key))
            except Exception as error:
                if self.on_error == "raise":
                    raise
                item.pop(key)
                item[self.findings_key] = {"failure": failure(error, item.get(self.image_key))}
        return item

    @abstractmethod
    def find(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[Hashable, Any]:
        """New entries of an item, the findings' record among them."""
