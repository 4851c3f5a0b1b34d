"""How far a run is, on the terminal."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from tqdm import tqdm


class Progress:
    """A bar with images per second and the time left; nothing where no person looks on.

    It counts what is written or has failed, not what is read.
    """

    def __init__(self) -> None:
        self._bar: Any = None

    def start(self, loader: Any) -> None:
        """Begin a run over the images that a loader has to give."""
        left = getattr(loader, "remaining", None)
        # Asked of tqdm, so that a run whose errors go to a file or a program writes nothing there.
        self._bar = tqdm(total=len(left) if isinstance(left, Sized) else None, unit="image", disable=None, leave=False)

    def show(self, images: int) -> None:
        """Show how many images are done or have failed since the start."""
        if self._bar is not None and images > self._bar.n:
            self._bar.update(images - self._bar.n)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
