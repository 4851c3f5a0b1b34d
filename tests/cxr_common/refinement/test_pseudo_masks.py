from __future__ import annotations

import pytest
import torch

from cxr_common.axes import picture_to_tensor, tensor_to_picture
from cxr_common.refinement.pseudo_masks import class_labels, finding_masks, normalized_walk
from tests import golden


@pytest.mark.parametrize("case", range(5))
def test_labels_of_photographs_are_the_published_ones(case):
    g = golden.load("irn_randomwalk")
    walk = picture_to_tensor(torch.from_numpy(g[f"rw{case}"]).double())[None]
    expected = torch.from_numpy(g[f"sem{case}"]).long()
    # Upstream crops to (4h - 3, 4w - 1).
    maps = normalized_walk(walk, (expected.shape[-1], expected.shape[-2]), across_classes=True)
    labels = tensor_to_picture(class_labels(maps))[0]
    assert int((labels != expected).sum()) <= int(g[f"sem_margin_small{case}"])


@pytest.mark.parametrize("case", range(2))
def test_masks_of_findings_are_the_published_ones(case):
    g = golden.load("chexseg_irn")
    walk = picture_to_tensor(torch.from_numpy(g[f"rw{case}"]).double())[None]
    expected = torch.from_numpy(g[f"mask{case}"]).bool()
    maps = normalized_walk(walk, (expected.shape[-1], expected.shape[-2]))
    masks = tensor_to_picture(finding_masks(maps, 0.6))[0]
    assert int((masks != expected).sum()) <= int(g[f"n_within_1e5{case}"])


def test_an_empty_map_gives_an_empty_mask():
    maps = normalized_walk(torch.zeros(1, 2, 3, 4), (12, 15))
    assert maps.shape == (1, 2, 12, 15)
    assert not finding_masks(maps, 0.25).any()
    assert not class_labels(maps).any()


def test_a_grid_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="cover"):
        normalized_walk(torch.zeros(1, 1, 3, 3), (13, 12))
