from __future__ import annotations

import copy

import torch
from ignite.engine import Engine
from torch import nn

from cxr_common.training import EmaTeacher, EmaUpdater, TrainingCheckpoint


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def change(student, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in student.parameters():
            p.add_(torch.randn(p.shape, generator=generator))
    student.train()(torch.randn(8, 3, generator=generator))  # moves the running statistics


def test_equals_the_written_formula():
    student = network()
    teacher = EmaTeacher(student, decay=0.9)
    average = [p.detach().clone() for p in student.parameters()]
    for step in range(20):
        change(student, step)
        teacher.update_parameters(student)
        decay = min(1 - 1 / (step + 1), 0.9)
        average = [decay * a + (1 - decay) * p.detach() for a, p in zip(average, student.parameters())]
        if step == 0:
            assert all(torch.equal(a, p) for a, p in zip(teacher.module.parameters(), student.parameters()))
    for a, b in zip(teacher.module.parameters(), average):
        torch.testing.assert_close(a, b)
    for a, b in zip(teacher.module.buffers(), student.buffers()):
        assert torch.equal(a, b)
    assert not torch.equal(next(teacher.module.parameters()), next(student.parameters()))


def test_it_is_evaluated_and_learns_nothing():
    student = network().train()
    teacher = EmaTeacher(student)
    teacher.train()
    x = torch.randn(4, 3, requires_grad=True)
    out = teacher(x)
    assert not teacher.module.training and student.training and not out.requires_grad
    assert not any(p.requires_grad for p in teacher.parameters())
    torch.testing.assert_close(out, copy.deepcopy(student).eval()(x).detach())
    assert all(p.requires_grad for p in student.parameters())


def run(folder, epochs):
    """A trainer whose teacher follows; returns the teacher."""
    student = network()
    teacher = EmaTeacher(student, decay=0.9)
    with torch.no_grad():
        student[0].weight.add_(1)  # initial weights are loaded after the parts are made
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)

    def step(engine, batch):
        if engine.state.iteration == 1:
            assert torch.equal(teacher.module[0].weight, student[0].weight)
        optimizer.zero_grad()
        student(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()

    trainer = Engine(step)
    trainer.state.rank = 0
    EmaUpdater(teacher, student).attach(trainer)
    TrainingCheckpoint(folder, student, optimizer, also={"teacher": teacher}).attach(trainer)
    torch.manual_seed(1)
    trainer.run(range(3), max_epochs=epochs)
    return teacher


def test_a_resumed_run_has_the_same_teacher(tmp_path):
    straight = run(tmp_path / "straight", 4)
    run(tmp_path / "stopped", 2)
    resumed = run(tmp_path / "stopped", 4)
    assert int(resumed.n_averaged) == 12
    for (name, a), (_, b) in zip(straight.state_dict().items(), resumed.state_dict().items()):
        assert torch.equal(a, b), name
