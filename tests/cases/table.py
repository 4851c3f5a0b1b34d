"""The table of cases: a row's name, what is right, and a check that fails where the product does something else."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxr_common.data import read_picture
from tests.cases.product import Outcome, Product, findings, infer

#: As far apart as two encodings of one picture may be.
GREY_TOLERANCE, PROBABILITY_TOLERANCE = 0.02, 0.03
#: The same picture as a plain PNG of 16 bits, and of 8.
TWIN, SHALLOW_TWIN = "a_twin.png", "a_twin8.png"


@dataclass(frozen=True)
class Case:
    """A row: its name, what is right in words, and the check, which raises where that does not hold."""

    name: str
    right: str
    check: Callable[[Run], None]


CASES: list[Case] = []


def case(name: str, right: str) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Decorates the check of a row."""

    def add(check: Callable[[Run], None]) -> Callable[[Run], None]:
        CASES.append(Case(name, right, check))
        return check

    return add


class Run:
    """What rows look at: the inputs, one inference over all of them beside a good file, and the product for more.

    Args:
        product: how it is run.
        inputs: folder that `inputs` or make_cases.py wrote.
        folder: for everything else.
    """

    def __init__(self, product: Product, inputs: Path, folder: Path) -> None:
        self.product, self.inputs, self.folder = product, inputs, folder
        self.grey = np.load(inputs / "expected_grey.npy")
        Image.fromarray(np.round(self.grey * 65535).astype(np.uint16)).save(inputs / TWIN)
        Image.fromarray(np.round(self.grey * 255).astype(np.uint8)).save(inputs / SHALLOW_TWIN)

    @cached_property
    def batch(self) -> tuple[Outcome, dict[str, Any]]:
        """How the inference of all inputs ended, and its findings.json."""
        outcome = infer(self.product, str(self.inputs), str(self.folder / "batch"), self.folder)
        return outcome, findings(self.folder / "batch")

    def files(self, prefix: str) -> list[Path]:
        """The inputs of a row: files whose names begin so, those that Python cannot name included."""
        found = [Path(folder, name) for folder, _, names in os.walk(self.inputs) for name in names]
        return sorted(path for path in found if path.name.startswith(prefix))

    def images(self, prefix: str) -> dict[str, dict[str, Any]]:
        """Records by file name of the images of a row, all of which must be done."""
        done = {Path(image["path"]).name: image for image in self.batch[1]["images"]}
        missing = [path.name for path in self.files(prefix) if path.name not in done]
        assert not missing, f"not done: {', '.join(missing)}"
        return {path.name: done[path.name] for path in self.files(prefix)}

    def failures(self, prefix: str) -> dict[str, str]:
        """Reasons by file name of a row, all of whose files must be failures with reason and remedy."""
        failed = {Path(failure["path"]).name: failure for failure in self.batch[1]["failures"]}
        missing = [path.name for path in self.files(prefix) if path.name not in failed]
        assert not missing, f"no failure of {', '.join(missing)}"
        found = {path.name: failed[path.name] for path in self.files(prefix)}
        assert all(failure["reason"] and failure["action"] for failure in found.values())
        return {name: failure["reason"] for name, failure in found.items()}

    def shows(
        self, prefix: str, warned: bool | None = None, polished: Callable[[Any], Any] = lambda grey: grey
    ) -> None:
        """Assert that the files of a row have the right grey values, findings and warnings.

        Args:
            prefix: of the row.
            warned: whether there must be a warning; None for no matter.
            polished: the right grey values, of the expected ones.
        """
        images = self.images(prefix)
        assert images, f"there is no file {prefix}*"
        right = polished(self.grey)
        twins = [_probabilities(self.images(name)[name]) for name in (TWIN, SHALLOW_TWIN)]
        for path in self.files(prefix):
            image = images[path.name]
            off = float(np.abs(read_picture(path).T - right).max())
            assert off <= GREY_TOLERANCE, f"{path.name}: a grey value is {off:.2f} off"
            if warned is not None:
                assert bool(image["warnings"]) == warned, f"{path.name}: warnings are {image['warnings']}"
            if right is self.grey:
                apart = min(float(np.abs(_probabilities(image) - twin).max()) for twin in twins)
                assert apart <= PROBABILITY_TOLERANCE, f"{path.name}: a probability is {apart:.2f} off"


def _probabilities(image: dict[str, Any]) -> np.ndarray:
    return np.array([finding["probability"] for finding in image["findings"]])
