"""Random detections and truth for the tests of box metrics."""

from __future__ import annotations

import numpy as np

from cxr_common.metrics.ranked_boxes import Detections


def split_rows(gt, det, n_images):
    """Golden rows (image, class, xyxy[, score]) as detections, boxes and labels of each image."""
    detected, boxes, labels = [], [], []
    for n in range(n_images):
        true, found = gt[gt[:, 0] == n], det[det[:, 0] == n]
        detected.append(Detections(found[:, 2:6], found[:, 6], found[:, 1].astype(int)))
        boxes.append(true[:, 2:6])
        labels.append(true[:, 1].astype(int).tolist())
    return detected, boxes, labels


def random_case(seed, n_images=12, n_classes=3, levels=None, unannotated=0.2, within=True):
    """Images with 0 to 3 boxes, some not annotated, and detections near and far.

    With ``levels`` the scores are tied, ``within`` images too or only between them.
    """
    rng = np.random.default_rng(seed)
    detected, boxes, labels = [], [], []
    for _ in range(n_images):
        truth = _boxes(rng, rng.integers(0, 4))
        names = rng.integers(0, n_classes, len(truth))
        near = np.concatenate([truth + rng.normal(0, 5, truth.shape) for _ in range(2)])
        far = _boxes(rng, rng.integers(0, 4))
        classes = np.r_[names, names, rng.integers(0, n_classes, len(far))]
        n = len(classes)
        scores = rng.random(n) if levels is None else rng.choice(np.arange(1, levels), n, replace=within) / levels
        detected.append(Detections(np.concatenate((near, far)), scores, classes))
        annotated = rng.random() >= unannotated
        boxes.append(truth if annotated else None)
        labels.append(names.tolist() if annotated else None)
    return detected, boxes, labels


def repeat(case, counts):
    """The same images, each as often as counts says."""
    index = np.repeat(np.arange(len(counts)), counts)
    return tuple([part[i] for i in index] for part in case)


def _boxes(rng, n):
    corner = rng.uniform(0, 80, (n, 2))
    return np.concatenate((corner, corner + rng.uniform(8, 50, (n, 2))), axis=1)
