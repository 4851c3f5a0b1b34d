"""Public data sets, one module each; see :mod:`cxr_tools.prepare.datasets.base` for what a module has."""

from __future__ import annotations

from cxr_tools.prepare.datasets import (
    chestx_det,
    chexpert,
    coco,
    mimic_cxr,
    nih,
    object_cxr,
    padchest,
    rsna,
    siim_acr,
    vindr_cxr,
)
from cxr_tools.prepare.datasets.base import Dataset

DATASETS: tuple[Dataset, ...] = (
    nih,
    chexpert,
    mimic_cxr,
    siim_acr,
    rsna,
    vindr_cxr,
    chestx_det,
    object_cxr,
    padchest,
    coco,
)
