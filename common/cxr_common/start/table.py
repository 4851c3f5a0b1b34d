"""All that is checked before a bundle's run reads its first image. `check.check_start` goes through the table.

A check is made where the run uses all of its ids. New options of a bundle get a row here
(`tests/cxr_common/start/test_table.py` names those that are left out on purpose).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cxr_common.errors import InputError
from cxr_common.exports.runtime import check_runtime
from cxr_common.extras import needed
from cxr_common.findings.class_names import check_class_names
from cxr_common.findings.thresholds import ClassThresholds
from cxr_common.networks.pretrained import IMAGENET
from cxr_common.networks.weights import read_state_dict
from cxr_common.start import data_checks as data
from cxr_common.start.claim import claim_training_folder
from cxr_common.start.identity import check_initial_weights, check_resumed
from cxr_common.start.network_checks import check_batches, check_cells, check_reach, check_size, warn_of_cells
from cxr_common.start.rules import NAME, NETWORK, PATH, check_device, check_output_folder, file_check, folder_check
from cxr_common.start.settings import SETTINGS


@dataclass(frozen=True)
class Check:
    """A row of the table.

    Attributes:
        ids: ids of the configuration, ``::`` between the levels, whose values the check looks at.
        check: takes the values in this order, and raises InputError where they will not do.
        beside: further ids that must be in use, such as those that only one kind of bundle has.
        without: ids that must not be in use.
    """

    ids: tuple[str, ...]
    check: Callable[..., object]
    beside: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def _check_epochs(max_epochs: int, val_interval: int) -> None:
    if val_interval > max_epochs:
        reason = f"is {val_interval}, but there are {max_epochs} epochs, so that none is validated and none kept"
        raise InputError(reason, "--val_interval", "give it a value of at most --max_epochs")


def _check_chosen_classes(labels: Sequence[str], chosen: Sequence[str] | None) -> None:
    if unknown := [name for name in chosen or () if name not in labels]:
        reason = f"there is no class {', '.join(map(str, unknown))}"
        raise InputError(reason, "--checkpoint_classes", f"classes are {', '.join(labels)}")


def _check_batches(
    network: Any, size: Any, batch_size: int, processes: int, items: Sequence[Any], supervision: str | None = None
) -> None:
    images = len(items if supervision is None else data.masked_items(items, supervision))
    # As train.yaml has it: where one image is left over, the last batch is left out.
    check_batches(network, size, images, batch_size, processes, batch_size > 1 and images % batch_size == 1)


def _check_drawn_batches(
    network: Any, size: Any, batch_size: int, processes: int, items: Sequence[Any], drawn: int | None
) -> None:
    images = drawn or len(items)
    left_out = batch_size > 1 and -(-images // processes) % batch_size == 1  # as from_imagenet.yaml has it
    check_batches(network, size, images, batch_size, processes, left_out)


def _check_lung_weights(gate: Any, path: Any) -> None:
    if gate:
        file_check("lung_weights", required=True)(path)


TRAINING, VALIDATION = "train::dataset::data", "validate::dataset::data"
BATCHES = ("network_def", "spatial_size", "batch_size", "train::sampler::num_replicas")
DROP_LAST = "train::dataloader::drop_last"

CHECKS: tuple[Check, ...] = (
    # Whether all is installed; every training logs to TensorBoard.
    Check(("max_epochs",), lambda _: needed("torch.utils.tensorboard", "tensorboard", "training")),
    # Where to, on what, from what.
    *(Check((name,), partial(PATH.check, name)) for name in ("dataset_dir", "output_dir", "weights")),
    Check(("output_dir",), check_output_folder),
    Check(("cache_dir",), partial(check_output_folder, name="cache_dir")),
    Check(("device",), check_device),
    Check(("weights",), lambda path: read_state_dict(str(path))),  # a file named by a number arrives as one
    Check(("backbone_weights",), lambda path: None if path == IMAGENET else file_check("backbone_weights")(path)),
    *(Check((name,), file_check(name)) for name in ("initial_weights", "datalist")),
    *(Check((name,), folder_check(name)) for name in ("heatmap_dir", "label_maps")),
    *(Check((gate, "lung_weights"), _check_lung_weights) for gate in ("lung_gate", "walk_gate")),
    Check(("teacher_weights",), file_check("teacher_weights", required=True)),
    # Single settings, settings together.
    *(Check((name,), partial(rule.check, name)) for name, rule in SETTINGS.items()),
    Check(("backbone",), partial(NAME.check, "backbone")),
    *(Check((name,), partial(NETWORK.check, name)) for name in ("network_def", "network")),
    Check(("walk",), lambda _: None),  # it checks its radius, beta and steps when it is made
    Check(("runtime", "device", "inferer"), check_runtime),
    Check(("max_epochs", "val_interval"), _check_epochs),
    Check(("labels",), check_class_names),
    Check(("thresholds", "intensity_mean", "intensity_std"), ClassThresholds.check_intensity),
    Check(("labels", "checkpoint_classes"), _check_chosen_classes),
    # What is learned from, and what chooses the best epoch.
    Check((TRAINING, "labels", "label_policy"), data.check_training_labels, ("class_balance",)),
    Check((TRAINING, "supervision"), data.check_training_masks),
    Check((TRAINING, "boxes_per_batch", "labels_per_batch"), data.check_supervision),
    Check((TRAINING, "localizer"), data.check_heatmaps),
    Check((VALIDATION, "localizer"), data.check_heatmaps),
    Check((VALIDATION, "labels", "label_policy"), data.check_validation_labels, ("class_balance",)),
    Check((VALIDATION,), data.check_validation_masks, ("validate::key_metric::val_iou",)),
    Check((VALIDATION,), data.check_validation_boxes, ("validate::key_metric::val_ap40",)),
    # What is scored.
    *(Check((id,), data.check_scored, ("section",)) for id in (VALIDATION, "score::dataset::data")),
    Check(("refine::dataset::data",), data.check_scored_masks, ("section",)),
    # Whether the network can take it.
    Check(("network_def", "spatial_size"), check_size),
    Check(("network_def", "image_size"), partial(check_size, name="image_size")),
    Check(("network_def", "spatial_size", "max_epochs"), check_cells),
    Check(("network_def", "spatial_size"), warn_of_cells, without=("max_epochs",)),
    Check(("spatial_size", "loss_radius"), check_reach),
    Check((*BATCHES, TRAINING), _check_batches, (DROP_LAST,), without=("supervision", "epoch_size")),
    Check((*BATCHES, TRAINING, "supervision"), _check_batches, (DROP_LAST,)),
    Check((*BATCHES, TRAINING, "epoch_size"), _check_drawn_batches, (DROP_LAST,)),
    # Whether weights and a run that are there are of these classes, this network, these data.
    Check(("initial_weights", "labels"), check_initial_weights),
    Check(("output_dir", "resume"), check_resumed, ("max_epochs",)),
    # The last: it makes the folder.
    Check(("output_dir", "resume"), claim_training_folder, ("max_epochs",)),
)
