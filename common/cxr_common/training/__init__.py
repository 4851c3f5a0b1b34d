"""Training: replayable data, checkpoints, pictures of progress."""

from cxr_common.training.batches import label_and_place
from cxr_common.training.bfloat16 import Bfloat16Inferer, cpu_has_bfloat16
from cxr_common.training.checkpoint import StopAtLearningRate, TrainingCheckpoint
from cxr_common.training.dataset import EpochSeeder, SeededCacheDataset
from cxr_common.training.ema import EmaTeacher, EmaUpdater
from cxr_common.training.finite_batches import FiniteBatches
from cxr_common.training.image_cache import CachedImaged
from cxr_common.training.parameter_groups import backbone_slower
from cxr_common.training.pictures import TensorBoardHeatmaps
from cxr_common.training.setup import freeze_stages, load_initial_weights, process_device
from cxr_common.training.weighted_sampler import WeightedEpochSampler, sampling_chances

__all__ = [
    "Bfloat16Inferer",
    "CachedImaged",
    "EmaTeacher",
    "EmaUpdater",
    "EpochSeeder",
    "FiniteBatches",
    "SeededCacheDataset",
    "StopAtLearningRate",
    "TensorBoardHeatmaps",
    "TrainingCheckpoint",
    "WeightedEpochSampler",
    "backbone_slower",
    "cpu_has_bfloat16",
    "freeze_stages",
    "label_and_place",
    "load_initial_weights",
    "process_device",
    "sampling_chances",
]
