"""Global prototype alignment: golden steps, a brute-force reference, what is saved, and the published defects."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from cxr_common.detection.prototypes import GlobalPrototypes
from tests import golden

NAN = float("nan")


def test_parity_over_steps():
    g = golden.load("oxnet_gpa")
    module = GlobalPrototypes(num_classes=4, num_features=32).double()
    for step in range(int(g["n_steps"])):
        f, z, y, before, after = (
            torch.from_numpy(g[f"{k}{step}"])
            for k in ("features", "global_logits", "labels", "prototypes_before", "prototypes_after")
        )
        torch.testing.assert_close(module.prototypes, before, atol=1e-7, rtol=0)
        losses = module(f, z, y)
        torch.testing.assert_close(module.prototypes, after, atol=1e-7, rtol=0)
        assert losses.intra.item() == pytest.approx(float(g[f"intra{step}"]), abs=1e-7)
        assert losses.inter.item() == pytest.approx(float(g[f"inter{step}"]), abs=1e-7)


def reference(features, label, prototypes, seen, margin):
    """Loops over classes and pairs."""
    present = [c for c in range(label.shape[1]) if (label[:, c] == 1).any()]
    means = {c: np.mean([f[c] for f, y in zip(features, label) if y[c] == 1], axis=0) for c in present}
    intra = [np.mean((means[c] - prototypes[c]) ** 2) for c in present]
    inter = []
    for i, j in itertools.product(present, range(label.shape[1])):
        if i != j and seen[j]:
            s = np.sqrt(np.mean((means[i] - prototypes[j]) ** 2))
            inter.append(((margin - s) / margin) ** 2 * max(margin - s, 0) ** 2)
    return np.mean(intra) if intra else 0, np.mean(inter) if inter else 0


@pytest.mark.parametrize("margin", [1.0, 2.5])
def test_losses_equal_plain_loops(margin):
    rng = np.random.default_rng(0)
    module = GlobalPrototypes(5, 7, margin=margin).double()
    for _ in range(4):
        f = rng.normal(size=(3, 5, 7))
        y = rng.choice([0, 1, -1, np.nan], size=(3, 5))
        losses = module(torch.from_numpy(f), torch.from_numpy(rng.normal(size=(3, 5))), torch.from_numpy(y))
        intra, inter = reference(f, y, module.prototypes.numpy(), module.seen.numpy(), margin)
        assert losses.intra.item() == pytest.approx(intra, abs=1e-12)
        assert losses.inter.item() == pytest.approx(inter, abs=1e-12)


def example(label):
    torch.manual_seed(0)
    label = torch.tensor(label)
    return torch.randn(*label.shape, 6), torch.randn(label.shape), label


def test_an_absent_class_keeps_its_prototype():
    """Published: times 0.7 at every step without the class."""
    module = GlobalPrototypes(3, 6)
    module(*example([[1.0, 1, 0]]))
    before = module.prototypes.clone()
    f, z, y = example([[0.0, 1, 0]])
    for _ in range(5):
        module(f + 1, z, y)
    assert torch.equal(module.prototypes[0], before[0]) and not torch.equal(module.prototypes[1], before[1])


def test_a_class_never_seen_has_no_prototype_and_repels_nothing():
    module = GlobalPrototypes(3, 6)
    f, z, y = example([[1.0, 0, 0]])
    losses = module(f * 0.1, z, y)
    assert module.seen.tolist() == [True, False, False] and not module.prototypes[1:].any()
    assert losses.inter.item() == 0 and losses.intra.item() == pytest.approx(0)


def test_what_is_not_annotated_or_uncertain_is_not_learnt_from():
    module = GlobalPrototypes(2, 6)
    f, z, _ = example([[1.0, 1], [1, 1], [1, 1]])
    module(f, z, torch.tensor([[1.0, NAN], [NAN, -1], [-1, 0]]))
    torch.testing.assert_close(module.prototypes[0], f[0, 0])
    assert not module.seen[1]


def test_an_unlabelled_batch_changes_and_costs_nothing():
    module = GlobalPrototypes(2, 6)
    module(*example([[1.0, 1]]))
    before = module.prototypes.clone()
    f, z, _ = example([[1.0, 1]])
    losses = module(f.requires_grad_(), z, torch.full((1, 2), NAN))
    (losses.intra + losses.inter).backward()
    assert losses.intra.item() == 0 and losses.inter.item() == 0 and not f.grad.any()
    assert torch.equal(module.prototypes, before)


def test_a_restored_module_goes_on_as_if_never_stopped():
    straight, first = GlobalPrototypes(3, 6), GlobalPrototypes(3, 6)
    batches = [example([[1.0, 0, 1]]), example([[0.0, 0, 1]]), example([[1.0, 1, 1]])]
    for module, part in ((straight, batches[:2]), (first, batches[:2])):
        for b in part:
            module(*b)
    resumed = GlobalPrototypes(3, 6)
    resumed.load_state_dict(first.state_dict())
    a, b = straight(*batches[2]), resumed(*batches[2])
    assert torch.equal(straight.prototypes, resumed.prototypes) and torch.equal(straight.seen, resumed.seen)
    assert a == b


def test_evaluation_does_not_move_prototypes():
    module = GlobalPrototypes(2, 6).eval()
    module(*example([[1.0, 1]]))
    assert not module.seen.any()


def test_gradients_are_finite_where_features_meet_another_prototype():
    """Features that are all 0, as dead units give, lie exactly on a prototype of 0."""
    module = GlobalPrototypes(2, 6)
    f = torch.zeros(1, 2, 6, requires_grad=True)
    losses = module(f, torch.zeros(1, 2), torch.ones(1, 2))
    (losses.intra + losses.inter).backward()
    assert torch.isfinite(f.grad).all() and losses.inter.item() == pytest.approx(1, abs=1e-4)


def test_a_certain_absence_still_updates():
    """A label of 1 where the head is sure of 0: the weight must not vanish in float32."""
    module = GlobalPrototypes(1, 6)
    f, _, y = example([[1.0]])
    module(f, torch.tensor([[-200.0]]), y)
    torch.testing.assert_close(module.prototypes, f[0])
