"""The trainer's iteration, and that two processes learn what one does from the whole batch."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from ignite.engine import Events
from torch import nn

from cxr_common.detection import AnchorGrid, DetectionLoss, GlobalPrototypes, OmniLoss, OmniTrainer, RetinaNet
from cxr_common.detection.teaching import TeachingLoss
from cxr_common.training import EmaTeacher, EmaUpdater

K, SIZE, LEVELS = 2, 64, (3, 4, 5)
NAN = float("nan")


def batch():
    """Boxes, none found; a label, nothing; unequal in the two halves."""
    torch.manual_seed(1)
    boxes = torch.zeros(4, 2, 5)
    boxes[..., 4] = -1
    boxes[0, 0] = torch.tensor([10.0, 8.0, 42.0, 40.0, 1.0])
    known = torch.tensor([[1.0] * K, [1.0] * K, [0.0] * K, [0.0] * K])
    label = torch.tensor([[0, 1], [0, 0], [1, 0], [NAN, NAN]])
    image = torch.rand(4, 1, SIZE, SIZE)
    strong = image + 0.1 * torch.rand(4, 1, SIZE, SIZE)
    order = [0, 2, 1, 3]  # each half has an image with boxes and one without
    parts = {"image": image, "image_strong": strong, "boxes": boxes, "box_known": known, "label": label}
    return {key: value[order] for key, value in parts.items()}


def make(data, wrap=lambda network: network, **options):
    torch.manual_seed(0)
    network = RetinaNet(K, backbone="resnet18", levels=LEVELS, width=8, frozen_batch_norm=True)
    nn.init.normal_(network.global_head.weight, std=0.1)
    for head in (network.class_head, network.box_head):
        nn.init.normal_(head[-1].weight, std=0.1)
    grid = AnchorGrid(levels=LEVELS, side=2)
    weights = options.pop("weights", {"consistency": 1.0})
    prototypes = GlobalPrototypes(K, network.backbone.channels[-1])
    loss = OmniLoss(DetectionLoss(grid), prototypes, TeachingLoss(grid, min_score=0.005), weights=weights)
    wrapped = wrap(network)
    teacher = EmaTeacher(wrapped)
    trainer = OmniTrainer(
        device=torch.device("cpu"),
        max_epochs=options.pop("max_epochs", 1),
        train_data_loader=[data],
        network=wrapped,
        optimizer=torch.optim.SGD(network.parameters(), lr=options.pop("lr", 1e-3)),
        loss_function=loss,
        teacher=options.pop("teacher", teacher),
        train_handlers=[EmaUpdater(teacher, wrapped)],
        **options,
    )
    return network, trainer, prototypes


def train(data, wrap=lambda network: network):
    network, trainer, prototypes = make(data, wrap, max_epochs=2)
    losses = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda engine: losses.append({k: v for k, v in engine.state.output.items() if k != "image"}),
    )
    trainer.run()
    return losses, {n: p.grad.clone() for n, p in network.named_parameters()}, prototypes.prototypes.clone()


def test_all_terms_are_in_the_output_and_gradients_are_clipped():
    network, trainer, _ = make(batch(), max_grad_norm=0.01)
    trainer.run()
    terms = set(trainer.state.output) - {"image"}
    assert terms == {"loss", "boxes", "label", "prototypes", "soft_focal", "pseudo_boxes", "consistency"}
    norm = torch.stack([p.grad.norm() for p in network.parameters()]).norm()
    assert float(norm) == pytest.approx(0.01, rel=1e-3)


def test_the_student_sees_the_strong_view_and_the_teacher_the_weak_one():
    data = batch()
    seen = {}
    network, trainer, _ = make(data, max_grad_norm=None)
    network.register_forward_pre_hook(lambda module, args: seen.setdefault("student", args[0]))
    trainer.teacher.module.register_forward_pre_hook(lambda module, args: seen.setdefault("teacher", args[0]))
    trainer.run()
    assert torch.equal(seen["student"], data["image_strong"])
    assert torch.equal(seen["teacher"], data["image"][[1, 3]])


def test_a_teacher_that_no_term_needs_is_not_run():
    off = dict.fromkeys(("soft_focal", "pseudo_boxes", "consistency"), 0.0)
    data = batch()
    del data["image_strong"]
    _, trainer, _ = make(data, weights=off, teacher=None)
    trainer.run()
    assert set(trainer.state.output) == {"image", "loss", "boxes", "label", "prototypes"}
    with pytest.raises(ValueError, match="teacher"):
        make(data, teacher=None)


def worker(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/sync", rank=rank, world_size=2)
    half = slice(2 * rank, 2 * rank + 2)
    torch.save(
        train({k: v[half] for k, v in batch().items()}, nn.parallel.DistributedDataParallel), f"{folder}/{rank}.pt"
    )
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_equal_one_with_the_whole_batch(tmp_path):
    losses, gradients, prototypes = train(batch())
    mp.spawn(worker, args=(str(tmp_path),), nprocs=2)
    for rank in (0, 1):
        theirs, their_gradients, their_prototypes = torch.load(tmp_path / f"{rank}.pt")
        for own, other in zip(losses, theirs, strict=True):
            assert all(float(value) > 0 for value in own.values())
            torch.testing.assert_close(other, own, atol=1e-5, rtol=1e-5)
        for name, gradient in gradients.items():
            torch.testing.assert_close(their_gradients[name], gradient, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(their_prototypes, prototypes, atol=1e-6, rtol=1e-5)
