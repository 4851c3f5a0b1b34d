from __future__ import annotations

import pytest
import torch

from tests.bundles.conftest import BUNDLES
from tools.faults.kills import TRAININGS, _same, kill_trainings


def test_every_bundle_is_killed():
    assert TRAININGS.keys() == set(BUNDLES)


def test_one_other_bit_is_another_weight():
    a = {"w": torch.ones(2)}
    assert _same(a, {"w": torch.ones(2)})
    assert not _same(a, {"w": torch.nextafter(torch.ones(2), torch.zeros(2))})
    assert not _same(a, {})


@pytest.mark.slow
def test_a_killed_training_has_the_weights_of_one_left_alone():
    record = kill_trainings("cxr_pylon_localization", kills=2, seed=0)
    assert (record["kills"], record["different"]) == (2, 0)
    assert record["compared"] >= 1
