from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from cxr_common.errors import InputError
from cxr_common.localization import DropBlock2d
from cxr_common.training import StopAtLearningRate, TrainingCheckpoint


class Killed(Exception):
    """Stands for the process dying."""


def run(folder, epochs, metrics, kill_in=None):
    """Train a linear layer with momentum, dropout-like noise and a plateau schedule, as a run of ``epochs``."""
    torch.manual_seed(0)
    network = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    evaluator = Engine(lambda e, b: None)
    evaluator.state.best_metric, evaluator.state.best_metric_epoch = -1, -1

    def step(engine, batch):
        if kill_in == engine.state.iteration:
            raise Killed
        optimizer.zero_grad()
        (network(torch.randn(4, 3)) ** 2).mean().backward()
        optimizer.step()

    trainer = Engine(step)
    trainer.state.rank = 0

    @trainer.on(Events.EPOCH_COMPLETED)
    def validate(engine):
        value = metrics[engine.state.epoch - 1]
        if evaluator.state.best_metric_epoch == -1 or value < evaluator.state.best_metric:
            evaluator.state.best_metric, evaluator.state.best_metric_epoch = value, engine.state.epoch
        scheduler.step(value)

    TrainingCheckpoint(folder, network, optimizer, scheduler, evaluator).attach(trainer)
    trainer.run(range(3), max_epochs=epochs)
    return network, optimizer, evaluator


METRICS = [3.0, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("kill_in", [4, 5, 6, 8, 11])
def test_a_killed_run_ends_as_if_never_stopped(tmp_path, kill_in):
    straight, straight_optimizer, _ = run(tmp_path / "straight", 4, METRICS)
    with pytest.raises(Killed):
        run(tmp_path / "killed", 4, METRICS, kill_in)
    resumed, optimizer, evaluator = run(tmp_path / "killed", 4, METRICS)
    assert torch.equal(resumed.weight, straight.weight)
    assert optimizer.param_groups[0]["lr"] == straight_optimizer.param_groups[0]["lr"]
    assert evaluator.state.best_metric_epoch == 2
    for name in ("model.pt", "model_last.pt"):
        a, b = (torch.load(tmp_path / r / name, weights_only=True) for r in ("straight", "killed"))
        assert all(torch.equal(a[k], b[k]) for k in a)
    best = torch.load(tmp_path / "killed" / "model.pt", weights_only=True)
    last = torch.load(tmp_path / "killed" / "model_last.pt", weights_only=True)
    assert not torch.equal(best["weight"], last["weight"])  # the best epoch was the second, also over the resume


def test_a_resumed_ramp_goes_on_where_it_was(tmp_path):
    def ramped():
        network = nn.Sequential(nn.Conv2d(1, 1, 1), DropBlock2d(0.5, 1, ramp_batches=8))
        checkpoint = TrainingCheckpoint(tmp_path, network, torch.optim.SGD(network.parameters(), lr=0.1))
        engine = Engine(lambda e, b: network.train()(torch.ones(1, 1, 2, 2)))
        engine.state.rank = 0
        checkpoint.attach(engine)
        return network, engine

    network, engine = ramped()
    engine.run(range(3), max_epochs=1)
    again, engine = ramped()
    engine.run(range(3), max_epochs=2)
    assert int(network[1].batches_seen) == 3
    assert int(again[1].batches_seen) == 6


def test_a_metric_that_is_not_a_number_is_an_error_and_not_the_best(tmp_path):
    with pytest.raises(InputError, match="is not a number"):
        run(tmp_path, 2, [float("nan"), 1.0])
    assert not (tmp_path / "model.pt").exists()


def test_a_finished_run_is_not_trained_on(tmp_path):
    first, _, _ = run(tmp_path, 4, METRICS)
    again, _, _ = run(tmp_path, 4, METRICS)
    assert torch.equal(first.weight, again.weight)


@pytest.mark.fault("a training is killed while it writes its checkpoint", "the checkpoint of before stays")
def test_a_kill_while_writing_leaves_the_previous_checkpoint(tmp_path, monkeypatch):
    run(tmp_path, 2, METRICS)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    real = torch.save

    def dies(obj, path):
        if "checkpoint" in str(path):
            with open(path, "wb") as file:
                file.write(b"half")
            raise Killed
        real(obj, path)

    monkeypatch.setattr(torch, "save", dies)
    with pytest.raises(Killed):
        run(tmp_path, 3, METRICS)
    monkeypatch.undo()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.fault("a checkpoint is damaged, or another network's", "one line says so; nothing is trained")
@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_a_damaged_or_foreign_checkpoint_is_one_clear_error(tmp_path, damage):
    run(tmp_path, 1, METRICS)
    (tmp_path / "checkpoint.pt").write_bytes(damage)
    with pytest.raises(InputError, match="cannot resume"):
        run(tmp_path, 2, METRICS)


def test_training_stops_at_the_learning_rate_floor():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-3)
    trainer = Engine(lambda e, b: None)
    StopAtLearningRate(optimizer, 2e-6).attach(trainer)

    @trainer.on(Events.EPOCH_STARTED)
    def fall(engine):
        optimizer.param_groups[0]["lr"] /= 10

    trainer.run(range(2), max_epochs=10)
    assert trainer.state.epoch == 3


def test_what_else_is_to_survive(tmp_path):
    network = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)

    def run_with(also):
        trainer = Engine(lambda e, b: None)
        trainer.state.rank = 0
        TrainingCheckpoint(tmp_path, network, optimizer, also=also).attach(trainer)
        trainer.run(range(1), max_epochs=1)

    kept, restored = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    kept.running_mean.add_(3)
    run_with({"norm": kept})
    run_with({"norm": restored})
    assert torch.equal(restored.running_mean, kept.running_mean)
    with pytest.raises(InputError, match="cannot resume"):
        run_with({"norm": restored, "teacher": network})
    with pytest.raises(ValueError, match="name optimizer in also"):
        run_with({"optimizer": network})


def test_the_weights_kept_may_be_anothers(tmp_path):
    network, teacher = nn.Linear(3, 1), nn.Linear(3, 1)
    trainer = Engine(lambda engine, batch: None)
    trainer.state.rank = 0
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    TrainingCheckpoint(tmp_path, network, optimizer, kept=teacher).attach(trainer)
    trainer.run(range(1))
    for name in ("model.pt", "model_last.pt"):
        assert torch.equal(torch.load(tmp_path / name, weights_only=True)["weight"], teacher.weight.half())
    checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert torch.equal(checkpoint["network"]["weight"], network.weight)


def test_flipped_bits_of_a_checkpoint_are_noticed(tmp_path):
    network, _, _ = run(tmp_path, 1, METRICS)
    whole = (tmp_path / "checkpoint.pt").read_bytes()
    content = bytearray(whole)
    content[whole.index(network.weight.detach().numpy().tobytes()) + 2] ^= 64
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint.pt: is damaged: .*checksum"):
        run(tmp_path, 2, METRICS)
    assert (tmp_path / "checkpoint.pt").read_bytes() == bytes(content)


def test_what_a_killed_run_left_is_swept(tmp_path):
    code = (
        "import os, sys; from cxr_common.files import replacing\n"
        "with replacing(sys.argv[1]) as t: t.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "checkpoint.pt")])
    assert len(list(tmp_path.iterdir())) == 1
    run(tmp_path, 1, METRICS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "model.pt", "model_last.pt"]


def test_a_schedule_of_another_length_is_one_clear_error(tmp_path):
    def train(epochs, **options):
        torch.manual_seed(0)
        network = nn.Linear(3, 1)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=3 * epochs)
        trainer = Engine(lambda engine, batch: schedule.step() if engine.state.iteration < 3 * epochs else None)
        trainer.state.rank = 0
        TrainingCheckpoint(tmp_path, network, optimizer, schedule, **options).attach(trainer)
        trainer.run(range(3), max_epochs=epochs)

    train(1)
    with pytest.raises(InputError, match="OneCycleLR, is made for 3 steps, and the run has 6"):
        train(2)


def test_a_checkpoint_knows_what_it_belongs_to(tmp_path):
    def train(**belongs_to):
        network = nn.Linear(3, 1)
        trainer = Engine(lambda engine, batch: None)
        trainer.state.rank = 0
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        TrainingCheckpoint(tmp_path, network, optimizer, belongs_to=belongs_to).attach(trainer)
        trainer.run(range(1), max_epochs=1)

    train(labels=["A", "B"])
    train(labels=["A", "B"])
    with pytest.raises(InputError, match="classes were A, B and are B, A"):
        train(labels=["B", "A"])


def test_another_network_is_named_by_its_layers(tmp_path):
    run(tmp_path, 1, METRICS)
    network = nn.Sequential(nn.Linear(3, 1))
    trainer = Engine(lambda engine, batch: None)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    TrainingCheckpoint(tmp_path, network, optimizer).attach(trainer)
    with pytest.raises(InputError, match="2 missing: 0.weight, 0.bias"):
        trainer.run(range(1), max_epochs=2)
