"""Single settings of the bundles' configurations, and what each may be."""

from __future__ import annotations

from cxr_common.data.datalist_schema import SECTIONS
from cxr_common.exports.runtime import RUNTIMES
from cxr_common.findings.walk import MOST_STEPS
from cxr_common.label_policy import POLICIES
from cxr_common.start.rules import MOST_PROCESSES, SWITCH, Rule, either, nothing_or, number, one_of, several, whole

#: Pixels; a network on twice as many takes tens of gigabytes, more than most machines have.
MOST_PIXELS = 8192
SIDES = several(whole(1, MOST_PIXELS), 2)
SHARE = number(0, 1)
POSITIVE = number(0, above=True)

SETTINGS: dict[str, Rule] = {
    # data and images
    "section": one_of(*SECTIONS),
    "spatial_size": SIDES,
    "image_size": SIDES,
    "channels": one_of(1, 3),
    "intensity_mean": either(number(), several(number())),
    "intensity_std": either(POSITIVE, several(POSITIVE)),
    "refuse_unlikely": nothing_or(SWITCH),
    "lung_gate": SWITCH,
    "runtime": one_of(*RUNTIMES),
    "deterministic_uids": SWITCH,
    "deidentify": SWITCH,
    "positive_only": SWITCH,
    "label_policy": one_of(*POLICIES),
    "class_balance": SWITCH,
    "supervision": one_of("sample", "concat", "expert", "pseudo"),
    "expert_probability": SHARE,
    "max_boxes": whole(1),
    # the course of a training
    "seed": whole(0),
    "max_epochs": whole(1),
    "batch_size": whole(1),
    "boxes_per_batch": whole(0),
    "labels_per_batch": whole(0),
    "unlabelled_per_batch": whole(0),
    "epoch_size": nothing_or(whole(1)),
    "val_interval": whole(1),
    "resume": SWITCH,
    "num_workers": whole(0, MOST_PROCESSES),
    "writers": whole(0, MOST_PROCESSES),
    "cache_rate": SHARE,
    "image_cache": one_of("packed", "persistent"),
    "cache_dtype": one_of("uint8", "float16", "float32"),
    "amp": SWITCH,
    "bfloat16": SWITCH,
    # optimiser
    "learning_rate": number(0),
    "min_learning_rate": number(0),
    "weight_decay": number(0),
    "backbone_factor": number(0),
    "average_weights": SWITCH,
    "schedule_by_epoch": SWITCH,
    "average_decay": SHARE,
    "max_grad_norm": nothing_or(POSITIVE),
    # augmentation
    "rotation": number(0),
    "rotation_prob": SHARE,
    "flip_prob": SHARE,
    "crop_scale": several(number(0, 1, above=True), 2),
    "crop_ratio": several(POSITIVE, 2),
    "crop_around_boxes": SHARE,
    "rescale": several(POSITIVE, 2),
    "brightness": number(0),
    "contrast": number(0),
    "strong_prob": SHARE,
    "cutout": SIDES,
    # networks
    "frozen_stages": whole(0),
    "output_stride": one_of(8, 16, 32),
    "atrous_rates": several(whole(1)),
    "levels": several(whole(1)),
    "anchor_side": POSITIVE,
    "width": whole(1),
    "head_norm": one_of("none", "group"),
    "frozen_batch_norm": SWITCH,
    # relation labels, random walk
    "calibrate_to": nothing_or(number(0, 1, above=True)),
    "foreground": SHARE,
    "background": SHARE,
    "crf": SWITCH,
    "compete": SWITCH,
    "walk_gate": nothing_or(one_of("before", "after")),
    "loss_radius": whole(2),
    "mask_default": SHARE,
    "steps_tried": nothing_or(several(whole(0, MOST_STEPS))),
    # terms of a loss
    "temperature": POSITIVE,
    "place_weight": number(0),
    "negatives": SWITCH,
    "crf_weight": SHARE,
    "dice_smooth": POSITIVE,
    "box_weight": number(0),
    "label_weight": number(0),
    "prototype_weight": number(0),
    "soft_focal_weight": number(0),
    "pseudo_box_weight": number(0),
    "consistency_weight": number(0),
    "ramp_up_epochs": whole(0),
    "pseudo_box_score": SHARE,
    "teacher_decay": SHARE,
    "keep_teacher": SWITCH,
}

#: Settings that may change when a run is resumed: how it computes, when it ends, what is done after it.
FREE = frozenset(
    {"amp", "bfloat16", "cache_rate", "num_workers", "resume", "section", "writers"}
    | {"max_epochs", "min_learning_rate", "val_interval", "mask_default", "steps_tried"}
)
