from __future__ import annotations

import math

import pytest
from ignite.engine import Engine

from cxr_common.detection import SigmoidRampUp


def test_values():
    ramp = SigmoidRampUp(weight=2.0, length=10)
    assert ramp.at(0) == pytest.approx(2 * math.exp(-5))
    assert ramp.at(5) == pytest.approx(2 * math.exp(-1.25))
    assert ramp.at(10) == ramp.at(99) == 2
    assert SigmoidRampUp(0.5).at(0) == 0.5


def test_it_follows_the_trainer_also_after_a_resume():
    ramp = SigmoidRampUp(length=2)

    def weights(first_epoch):
        values = []
        trainer = Engine(lambda engine, batch: values.append(ramp(engine)))
        trainer.state.epoch, trainer.state.iteration = first_epoch, 4 * first_epoch
        trainer.state.epoch_length, trainer.state.max_epochs = 4, 3
        trainer.run(range(4), max_epochs=3)
        return values

    straight = weights(0)
    assert straight == pytest.approx([ramp.at(i / 4) for i in range(12)])
    assert straight == sorted(straight) and weights(1) == straight[4:]
