"""OXnet's detector: RetinaNet with a global head, its anchors, losses and selection of boxes.

MONAI's feature pyramid, anchor generator, box coder, matchers and focal loss are used. Its ``RetinaNetDetector`` is
not: its training step needs torchvision, and anchors, normalisers and suppression would all be overridden.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "AlignedLogits": "global_head",
    "AnchorGrid": "anchors",
    "DetectionBoxCoder": "coder",
    "DetectionInferer": "inferer",
    "DetectionLoss": "loss",
    "DetectionLosses": "loss",
    "Detections": "selection",
    "LabelDetector": "inferer",
    "DetectorOutput": "network",
    "GlobalPrototypes": "prototypes",
    "IoUMatcher": "matching",
    "OmniLoss": "omni_loss",
    "RetinaNet": "network",
    "TeachingLoss": "teaching",
    "batched_nms": "nms",
    "match_anchors": "matching",
    "original_detections": "selection",
    "select_detections": "selection",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """Import a part on first use."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
