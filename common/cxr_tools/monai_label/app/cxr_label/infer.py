"""Inference by a bundle, with answers that a client can use."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from monailabel.interfaces.tasks.infer_v2 import InferType
from monailabel.tasks.infer.bundle import BundleInferTask

from cxr_label.markups import markups

#: HTTP's "unprocessable content".
UNUSABLE = 422


def told_to_user(error: BaseException | None) -> str | None:
    """The text of a bundle's InputError, which says what is wrong and what to do; None for any other exception.

    Each packed bundle has its own class of this name.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # bundles packed before raise errors that cause themselves
        if type(error).__name__ == "InputError":
            return str(error)
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


class CxrInferTask(BundleInferTask):
    """A bundle's inference.

    Args:
        path: the bundle's folder.
        conf: the server's settings.
        type: of the task; empty takes it from the folder's name, as MONAI Label does.
    """

    def __init__(self, path: str, conf: dict[str, str], type: str = "") -> None:
        super().__init__(path, conf, type=type, load_strict=True)
        self._wanted, self._read = type, 0.0
        self._thresholds = Path(path) / "models" / "thresholds.json"
        self._refresh()

    def _refresh(self) -> None:
        """Read the config anew where training has replaced weights and thresholds."""
        if (changed := Path(self._thresholds).stat().st_mtime) != self._read:
            self._read = changed
            self.bundle_config = self._load_bundle_config(self.bundle_path, self.bundle_config_path)
            if self._wanted:
                self.bundle_config["postprocessing#transforms"][-1]["task"] = str(InferType(self._wanted).value)

    def __call__(self, request: dict[str, Any], callbacks: Any = None) -> tuple[Any, dict[str, Any]]:
        """Run on one image.

        Raises:
            HTTPException: the image cannot be used; the client gets the reason.
        """
        self._refresh()
        try:
            return super().__call__(request, callbacks)
        except Exception as error:
            if text := told_to_user(error):
                raise HTTPException(status_code=UNUSABLE, detail=text) from error
            raise

    def writer(self, data: dict[str, Any], extension: str | None = None, dtype: Any = None) -> tuple[Any, Any]:
        """Write the result; the findings go along with each kind."""
        findings = dict(data["result"])
        if self.type == InferType.DETECTION:
            handle, path = tempfile.mkstemp(suffix=".json")
            os.close(handle)
            names = {value: name for name, value in self.labels.items()}
            boxes = zip(data["box"].tolist(), data["label"].tolist(), data["label_scores"].tolist(), strict=True)
            nodes = [(box, f"{names[label]} {score:.2f}") for box, label, score in boxes]
            Path(path).write_text(json.dumps(markups(nodes), indent=1), encoding="utf-8")
            return path, findings
        file, answer = super().writer(data, extension, dtype)
        return file, {**findings, **answer}
