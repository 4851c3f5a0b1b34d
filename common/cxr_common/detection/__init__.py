"""OXnet's detector: RetinaNet with a global head, its anchors, losses and selection of boxes.

MONAI's feature pyramid, anchor generator, box coder, matchers and focal loss are used. Its ``RetinaNetDetector`` is
not: its training step needs torchvision, and anchors, normalisers and suppression would all be overridden.
"""

from typing import TYPE_CHECKING

from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.detection.alignment import (
        AlignedLabelLoss,
        aligned_logits,
        class_features,
        class_probability_maps,
        local_attention,
    )
    from cxr_common.detection.anchors import AnchorGrid
    from cxr_common.detection.coder import DetectionBoxCoder
    from cxr_common.detection.crop import RandCropAroundBoxesd, RandResizedCropBoxesd
    from cxr_common.detection.global_head import AlignedLogits
    from cxr_common.detection.inferer import DetectionInferer, LabelDetector
    from cxr_common.detection.loss import DetectionLoss, DetectionLosses
    from cxr_common.detection.matching import IoUMatcher, match_anchors
    from cxr_common.detection.network import DetectorOutput, RetinaNet
    from cxr_common.detection.nms import batched_nms
    from cxr_common.detection.omni_loss import OmniLoss
    from cxr_common.detection.omni_sampler import OmniBatchSampler, mark_supervision, supervision_kind
    from cxr_common.detection.omni_trainer import OmniTrainer
    from cxr_common.detection.one_tensor import OneTensorRetinaNet, read_one_tensor
    from cxr_common.detection.prototypes import GlobalPrototypes
    from cxr_common.detection.ramp_up import SigmoidRampUp
    from cxr_common.detection.scoring import (
        DetectorStrategy,
        detect,
        detector_report,
        evaluate_detector,
        tune_detector,
    )
    from cxr_common.detection.selection import Detections, original_detections, select_detections
    from cxr_common.detection.soft_focal import SoftFocalLoss, soft_focal_terms
    from cxr_common.detection.strong import strong_augmentation
    from cxr_common.detection.targets import EncodeBoxTargetsd
    from cxr_common.detection.teaching import TeachingLoss
    from cxr_common.detection.transforms import DetectFindingsd
    from cxr_common.detection.writer import CocoBoxes

__all__ = [
    "AlignedLabelLoss",
    "AlignedLogits",
    "AnchorGrid",
    "CocoBoxes",
    "DetectFindingsd",
    "DetectionBoxCoder",
    "DetectionInferer",
    "DetectionLoss",
    "DetectionLosses",
    "Detections",
    "DetectorOutput",
    "DetectorStrategy",
    "EncodeBoxTargetsd",
    "GlobalPrototypes",
    "IoUMatcher",
    "LabelDetector",
    "OmniBatchSampler",
    "OmniLoss",
    "OmniTrainer",
    "OneTensorRetinaNet",
    "RandCropAroundBoxesd",
    "RandResizedCropBoxesd",
    "RetinaNet",
    "SigmoidRampUp",
    "SoftFocalLoss",
    "TeachingLoss",
    "aligned_logits",
    "batched_nms",
    "class_features",
    "class_probability_maps",
    "detect",
    "detector_report",
    "evaluate_detector",
    "local_attention",
    "mark_supervision",
    "match_anchors",
    "original_detections",
    "read_one_tensor",
    "select_detections",
    "soft_focal_terms",
    "strong_augmentation",
    "supervision_kind",
    "tune_detector",
]

# Whoever needs one part does not import the others.
__getattr__ = lazy_attributes(
    __name__,
    {
        "AlignedLabelLoss": "alignment",
        "AlignedLogits": "global_head",
        "AnchorGrid": "anchors",
        "CocoBoxes": "writer",
        "DetectFindingsd": "transforms",
        "DetectionBoxCoder": "coder",
        "DetectionInferer": "inferer",
        "DetectionLoss": "loss",
        "DetectionLosses": "loss",
        "Detections": "selection",
        "DetectorOutput": "network",
        "DetectorStrategy": "scoring",
        "EncodeBoxTargetsd": "targets",
        "GlobalPrototypes": "prototypes",
        "IoUMatcher": "matching",
        "LabelDetector": "inferer",
        "OmniBatchSampler": "omni_sampler",
        "OmniLoss": "omni_loss",
        "OmniTrainer": "omni_trainer",
        "OneTensorRetinaNet": "one_tensor",
        "RandCropAroundBoxesd": "crop",
        "RandResizedCropBoxesd": "crop",
        "RetinaNet": "network",
        "SigmoidRampUp": "ramp_up",
        "SoftFocalLoss": "soft_focal",
        "TeachingLoss": "teaching",
        "aligned_logits": "alignment",
        "batched_nms": "nms",
        "class_features": "alignment",
        "class_probability_maps": "alignment",
        "detect": "scoring",
        "detector_report": "scoring",
        "evaluate_detector": "scoring",
        "local_attention": "alignment",
        "mark_supervision": "omni_sampler",
        "match_anchors": "matching",
        "original_detections": "selection",
        "read_one_tensor": "one_tensor",
        "select_detections": "selection",
        "soft_focal_terms": "soft_focal",
        "strong_augmentation": "strong",
        "supervision_kind": "omni_sampler",
        "tune_detector": "scoring",
    },
)
