"""A MONAI Label app for this collection's bundles: what the app `monaibundle` of MONAI Label 0.8.5 does, and more.

Bad files get an answer that says what is wrong; boxes have names and scores; a classifier gives masks too; the
segmenter learns from label maps that people saved; the most uncertain image comes next. See docs/how-to/monai_label.md.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from cxr_label.asked import check_asked
from cxr_label.infer import CxrInferTask
from cxr_label.startup import check_bundles
from cxr_label.training import SegmenterTraining
from cxr_label.uncertainty import MostUncertain, Uncertainty
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType
from monailabel.interfaces.tasks.scoring import ScoringMethod
from monailabel.interfaces.tasks.strategy import Strategy
from monailabel.interfaces.tasks.train import TrainTask
from monailabel.tasks.activelearning.first import First
from monailabel.tasks.activelearning.random import Random

logger = logging.getLogger(__name__)


class CxrApp(MONAILabelApp):
    """Bundles in the app's folder `model`.

    ``--conf models a,b`` names some of them; ``--conf uncertainty a`` the one whose doubts choose the next image.
    """

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        self.bundles = check_bundles(Path(app_dir) / "model", conf.get("models", ""))
        super().__init__(
            app_dir, studies, conf, name="Chest radiographs", description="Findings on frontal chest radiographs"
        )

    def init_infers(self) -> dict[str, InferTask]:
        """One task for each bundle, and one for the masks of a classifier."""
        infers: dict[str, InferTask] = {}
        for name, folder in self.bundles.items():
            infers[name] = task = CxrInferTask(str(folder), self.conf)
            if task.type == InferType.CLASSIFICATION:  # which 3D Slicer does not list
                infers[f"{name}_masks"] = CxrInferTask(str(folder), self.conf, type=InferType.SEGMENTATION)
        return infers

    def infer(self, request: dict[str, Any], datastore: Datastore | None = None) -> dict[str, Any]:
        """Run a model on an image.

        Raises:
            HTTPException: there is no such model or image.
        """
        check_asked(request, self._infers, datastore or self.datastore())
        return dict(super().infer(request, datastore))

    def init_trainers(self) -> dict[str, TrainTask]:
        """The segmenter alone learns from what is drawn."""
        return {name: SegmenterTraining(path) for name, path in self.bundles.items() if "segmentation" in name}

    def init_strategies(self) -> dict[str, Strategy]:
        """Which image comes next."""
        return {"most_uncertain": MostUncertain(), "first": First(), "random": Random()}

    def init_scoring_methods(self) -> dict[str, ScoringMethod]:
        """Doubts of the bundle that chooses the next image."""
        name = self.conf.get("uncertainty")  # MONAI Label runs every method when it starts
        if not name:
            return {}
        if name not in self.bundles:
            raise SystemExit(f"error: --conf uncertainty {name}: there is no such bundle; name one that is served")
        return {"uncertainty": Uncertainty(self._infers[name])}
