"""Active learning: the image whose findings a bundle is least sure of comes next."""

from __future__ import annotations

import logging
import math
from typing import Any

from fastapi import HTTPException
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.scoring import ScoringMethod
from monailabel.interfaces.tasks.strategy import Strategy

logger = logging.getLogger(__name__)
KEY = "cxr_uncertainty"


def mean_entropy(probabilities: list[float]) -> float:
    """Mean binary entropy in bits: 1 where every probability is one half, 0 where each is 0 or 1."""
    terms = [-x * math.log2(x) for p in probabilities for x in (p, 1 - p) if x > 0]
    return sum(terms) / len(probabilities)


class Uncertainty(ScoringMethod):
    """Score the images that nobody has labelled yet by the entropy of a bundle's probabilities."""

    def __init__(self, task: Any) -> None:
        super().__init__("Entropy of the findings' probabilities")
        self.task = task

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Score them; an image that cannot be used gets no score, and is counted."""
        scored, unusable = 0, 0
        for image in datastore.get_unlabeled_images():
            try:
                asked = {**request, "image": datastore.get_image_uri(image), "skip_writer": True}
                _, data = self.task(asked)
            except HTTPException as error:
                logger.warning("%s gets no score: %s", image, error.detail)
                unusable += 1
                continue
            value = mean_entropy([finding["probability"] for finding in data["result"]["findings"]])
            datastore.update_image_info(image, {KEY: value})
            scored += 1
        return {"scored": scored, "unusable": unusable}


class MostUncertain(Strategy):
    """The unlabelled image with the highest score; the first by name where none has one."""

    def __init__(self) -> None:
        super().__init__("The image whose findings a bundle is least sure of")

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any] | None:
        """Choose it; None where every image is labelled."""
        images = sorted(datastore.get_unlabeled_images(request.get("label_tag"), request.get("labels")))
        if not images:
            return None
        scores = {image: datastore.get_image_info(image).get(KEY, -1.0) for image in images}
        chosen = max(images, key=lambda image: scores[image])
        return {"id": chosen} | ({"weight": scores[chosen]} if scores[chosen] >= 0 else {})
