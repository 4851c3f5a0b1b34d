"""A batch that leads nowhere ends training at once and is named."""

from __future__ import annotations

import pytest
import torch
from ignite.engine import Engine
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedTrainer
from torch import nn

from cxr_common.errors import InputError
from cxr_common.training import FiniteBatches


def train(images, lr=0.1, batch_size=2, epochs=1, **options):
    """Train one weight; images: numbers, each a picture of one pixel."""
    items = [
        {
            "image": MetaTensor(torch.full((1, 1, 1), float(v)), meta={"filename_or_obj": f"{i}.png"}),
            "label": torch.ones(1, 1, 1),
        }
        for i, v in enumerate(images)
    ]
    torch.manual_seed(0)
    network, steps = nn.Conv2d(1, 1, 1), []
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=epochs,
        train_data_loader=DataLoader(Dataset(items), batch_size=batch_size),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=lr),
        loss_function=nn.MSELoss(),
        train_handlers=[FiniteBatches(**options)],
    )
    trainer.add_event_handler("ITERATION_COMPLETED", lambda engine: steps.append(engine.state.iteration))
    try:
        trainer.run()
    finally:
        train.steps = len(steps)


def test_sound_batches_pass():
    train([1, 2, 3, 4, 5], epochs=2)
    assert train.steps == 6


@pytest.mark.fault("an image has pixels that are no numbers", "the training ends and names the image")
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_image_is_named_before_it_is_learnt_from(value):
    with pytest.raises(InputError, match=r"^3.png: the image has pixels .* \(epoch 1, batch 2\); export it again"):
        train([1, 2, 3, value, 5, 6])
    assert train.steps == 1


@pytest.mark.fault("a loss is no number", "the training ends and names epoch, batch and images")
def test_a_loss_that_is_no_number_names_its_batch_and_not_the_image():
    with pytest.raises(
        InputError, match=r"^0.png, 1.png: the loss is not a finite number \(epoch 2, batch 1\); the training"
    ):
        train([1, 2], lr=1e30, epochs=3)


def test_many_names_are_cut():
    with pytest.raises(InputError, match=r"0.png, 1.png, 2.png, 3.png and 2 more"):
        train([1e30] * 6, batch_size=6)


def test_a_second_view_of_a_detector_is_looked_at_too():
    """`OmniTrainer` does not decollate, and its strong view is a plain tensor."""
    image = MetaTensor(torch.zeros(2, 1, 4, 4), meta={"filename_or_obj": ["a.png", "b.png"]})
    strong = torch.zeros(2, 1, 4, 4)
    engine = Engine(lambda _engine, _batch: {"loss": torch.tensor(1.0)})
    FiniteBatches().attach(engine)
    engine.run([{"image": image, "image_strong": strong}])
    strong[1, 0, 0, 0] = float("inf")
    with pytest.raises(InputError, match=r"^b.png: the image has pixels"):
        engine.run([{"image": image, "image_strong": strong}], max_epochs=2)
