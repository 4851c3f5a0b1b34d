"""What a client asks for that is not there gets an answer that says so."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from fastapi import HTTPException

#: HTTP's "not found".
MISSING = 404


def check_asked(request: dict[str, Any], models: Collection[str], datastore: Any) -> None:
    """Look for the model and the image before MONAI Label does, which would run on the folder or answer a bare 500.

    Raises:
        HTTPException: there is no such model or no such image; with what to do.
    """
    model, image = request.get("model"), request.get("image")
    if model not in models:
        raise HTTPException(MISSING, f"{model}: there is no such model; ask for one of {', '.join(sorted(models))}")
    if not isinstance(image, str) or Path(image).exists():  # a file that the client sent has a path
        return
    if not datastore.get_image_uri(image):
        raise HTTPException(
            MISSING,
            f"{image}: there is no such image; give the name of a file of the studies without its suffix "
            "(/datastore/?output=all lists them)",
        )
