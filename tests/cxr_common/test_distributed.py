"""Two processes learn what one does from the whole batch."""

from __future__ import annotations

import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn import functional as F

from cxr_common.detection import (
    AlignedLabelLoss,
    SoftFocalLoss,
    aligned_logits,
    class_features,
    class_probability_maps,
    local_attention,
)
from cxr_common.detection.prototypes import GlobalPrototypes
from cxr_common.distributed import join_processes, process_count, sum_over_processes
from cxr_common.errors import InputError

NAN = float("nan")
K, ANCHORS = 3, 2


class Network(nn.Module):
    """A detection head of two levels, global class maps and features; frozen normalisation, as there is none."""

    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(1, 4, 3, padding=1)
        self.classes = nn.Conv2d(4, K, 1)
        self.head = nn.Conv2d(4, ANCHORS * K, 1)

    def forward(self, image):
        g = self.features(image)
        levels = [self.head(level).unflatten(1, (ANCHORS, K)) for level in (g, F.avg_pool2d(g, 2))]
        return [level.permute(0, 3, 4, 1, 2) for level in levels], self.classes(g), g


def batch():
    """Four images; known labels, present classes and pseudo-boxes are unequal in the two halves."""
    generator = torch.Generator().manual_seed(0)
    label = torch.tensor([[1, 0, NAN], [1, 1, 0], [NAN, NAN, NAN], [1, -1, 0]])
    matches = torch.randint(-2, 2, (4, 64 * ANCHORS), generator=generator)
    teacher = torch.rand(4, 64 * ANCHORS, K, generator=generator)
    return torch.randn(4, 1, 8, 8, generator=generator), label, teacher, matches, torch.tensor([1, 0, 3, 2])


def train(parts, wrap=lambda network: network):
    """Losses of three steps, and the gradients and prototypes after them."""
    image, label, teacher, matches, boxes = parts
    torch.manual_seed(0)
    network = Network()
    prototypes, entropy, soft = GlobalPrototypes(K, 4), AlignedLabelLoss(), SoftFocalLoss()
    wrapped = wrap(network)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    losses = []
    for step in range(3):
        optimizer.zero_grad()
        levels, x, g = wrapped(image)
        attention = local_attention(class_probability_maps(levels), x.shape[2:])
        logits = aligned_logits(x, attention)
        y = label if step else torch.where(label == 1, 0.0, label)  # no class in any image at first
        align = prototypes(class_features(g, attention), logits, y)
        anchors = levels[0].flatten(1, 3)
        terms = (entropy(logits, y), align.intra, align.inter, soft(anchors, teacher, matches, boxes))
        sum(terms).backward()
        losses.append([t.item() for t in terms])
        optimizer.step()
    gradients = {name: p.grad.clone() for name, p in network.named_parameters()}
    return torch.tensor(losses), gradients, dict(prototypes.named_buffers())


def worker(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/sync", rank=rank, world_size=2)
    half = slice(2 * rank, 2 * rank + 2)
    result = train([part[half] for part in batch()], nn.parallel.DistributedDataParallel)
    torch.save((result, process_count()), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_equal_one_with_the_whole_batch(tmp_path):
    losses, gradients, buffers = train(batch())
    mp.spawn(worker, args=(str(tmp_path),), nprocs=2)
    for rank in (0, 1):
        (found, their_gradients, their_buffers), count = torch.load(tmp_path / f"{rank}.pt")
        assert count == 2
        torch.testing.assert_close(found, losses, atol=1e-5, rtol=1e-5)
        for name, gradient in gradients.items():
            assert gradient.any(), name
            torch.testing.assert_close(their_gradients[name], gradient, atol=1e-5, rtol=1e-5)
        for name, buffer in buffers.items():
            torch.testing.assert_close(their_buffers[name], buffer, atol=1e-6, rtol=1e-5)
    assert losses[1:].all() and buffers["seen"].tolist() == [True, True, False]


def test_one_process_is_left_alone():
    value = torch.ones(2, requires_grad=True)
    assert sum_over_processes(value) is value and process_count() == 1


def test_processes_that_torchrun_has_not_started(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(InputError, match="torchrun starts them"):
        join_processes()


def test_more_processes_than_gpus(monkeypatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match="4 processes on 2 GPUs; --nproc_per_node 2"):
        join_processes()


def test_processes_that_cannot_be_joined(monkeypatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(InputError, match="cannot be joined .*MASTER_ADDR"):
        join_processes()


@pytest.mark.parametrize("started_before", [False, True])
def test_in_a_slurm_job_each_process_of_a_machine_keeps_its_own_number(tmp_path, monkeypatch, started_before):
    """torchrun and Ray start several processes where Slurm started one, which has the number 0."""
    import ignite.distributed as idist

    job = {"SLURM_JOB_ID": "7", "SLURM_LOCALID": "0", "LOCAL_RANK": "1"}
    group = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "0"}
    for name, value in (job | group).items():
        monkeypatch.setenv(name, value)
    if started_before:
        dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        join_processes()
        assert idist.get_local_rank() == 1
        assert os.environ["LOCAL_RANK"] == "1"
    finally:
        idist.finalize()
