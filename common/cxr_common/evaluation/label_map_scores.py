"""Label maps, whose classes compete for every pixel, written and scored by VOC's rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cxr_common.data.datalist import item_group
from cxr_common.data.label_map import LabelMap, read_label_map, write_label_map
from cxr_common.errors import InputError
from cxr_common.evaluation.mask_scores import dataset_iou_report
from cxr_common.files import as_path
from cxr_common.findings.case_names import CaseNames
from cxr_common.metrics.label_maps import label_map_counts

BACKGROUND = "background"


def evaluate_label_maps(
    label_maps: Iterator[LabelMap],
    items: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    output_dir: str | Path,
    **options: Any,
) -> dict[str, Any]:
    """Write label maps as palette PNGs, and score them against those the items name, by VOC's rule.

    Args:
        label_maps: one per item, (width, height).
        items: datalist items, absolute paths; those without "label_map" are not scored.
        labels: K class names.
        output_dir: ``label_maps/<image>.png`` go there.
        options: of the bootstrap, ``n_resamples`` and ``seed``.

    Returns:
        Number of images and of those scored, and under "segmentation" the IoU of the data set over K + 1 classes: its
        mean ("macro", VOC's mIoU) and per class, with intervals over images.

    Raises:
        InputError: no item has a label map, or one is of another size than its image.
    """
    scored = [item for item in items if item.get("label_map")]
    if not scored:
        action = 'give items a "label_map", as cxr prepare voc does'
        raise InputError("no image has a label map to score against", "datalist", action)
    folder = as_path(output_dir) / "label_maps"
    folder.mkdir(parents=True, exist_ok=True)
    names, predicted, truth = CaseNames(folder), [], []
    for item, label_map in zip(items, label_maps, strict=True):
        write_label_map(label_map, folder / f"{names.name(item['image'])}.png")
        if item.get("label_map"):
            predicted.append(label_map)
            truth.append(read_label_map(item["label_map"], len(labels), label_map.shape))
    counts = label_map_counts(predicted, truth, len(labels))
    groups = [item_group(item) for item in scored]
    report = dataset_iou_report(counts, groups, [BACKGROUND, *labels], **options)
    return {
        "n_images": len(items),
        "n_scored": len(scored),
        "segmentation": {"original": {"iou of the data set": report}},
    }
