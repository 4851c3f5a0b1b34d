"""Training: replayable data, checkpoints, pictures of progress."""

from cxr_common.training.batches import label_and_place
from cxr_common.training.bfloat16 import Bfloat16Inferer, cpu_has_bfloat16
from cxr_common.training.boundaries import TensorBoardBoundaries
from cxr_common.training.checkpoint import StopAtLearningRate, TrainingCheckpoint
from cxr_common.training.dataset import EpochSeeder, SeededCacheDataset
from cxr_common.training.distillation import TeacherLabels
from cxr_common.training.ema import EmaTeacher, EmaUpdater
from cxr_common.training.finite_batches import FiniteBatches
from cxr_common.training.mixed_supervision import MixedSupervisionDataset
from cxr_common.training.omni_sampler import OmniBatchSampler, mark_supervision, supervision_kind
from cxr_common.training.omni_trainer import OmniTrainer
from cxr_common.training.parameter_groups import backbone_slower
from cxr_common.training.pictures import TensorBoardHeatmaps
from cxr_common.training.ramp_up import SigmoidRampUp
from cxr_common.training.relation_network import calibrate_mean_shift, load_frozen_backbone, relation_parameter_groups
from cxr_common.training.relevance import TensorBoardRelevance, relevance_figure
from cxr_common.training.setup import freeze_stages, load_initial_weights, process_device
from cxr_common.training.weighted_sampler import WeightedEpochSampler, sampling_chances

__all__ = [
    "Bfloat16Inferer",
    "EmaTeacher",
    "EmaUpdater",
    "EpochSeeder",
    "FiniteBatches",
    "MixedSupervisionDataset",
    "OmniBatchSampler",
    "OmniTrainer",
    "SeededCacheDataset",
    "SigmoidRampUp",
    "StopAtLearningRate",
    "TensorBoardBoundaries",
    "TensorBoardHeatmaps",
    "TeacherLabels",
    "TensorBoardRelevance",
    "TrainingCheckpoint",
    "WeightedEpochSampler",
    "backbone_slower",
    "calibrate_mean_shift",
    "cpu_has_bfloat16",
    "freeze_stages",
    "label_and_place",
    "load_frozen_backbone",
    "load_initial_weights",
    "mark_supervision",
    "process_device",
    "relation_parameter_groups",
    "relevance_figure",
    "sampling_chances",
    "supervision_kind",
]
