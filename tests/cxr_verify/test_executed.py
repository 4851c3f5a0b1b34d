"""Planted defects that only running the bundle's code can find, each by its check and by no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from cxr_verify.options import Options
from cxr_verify.outcome import Status
from cxr_verify.runner import verify
from cxr_verify.source import open_bundle
from tests.cxr_verify import shapes
from tests.cxr_verify.shapes import edit_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return shapes.endoscopic(tmp_path_factory.mktemp("good"))


@pytest.fixture
def bundle(good, tmp_path):
    return Path(shutil.copytree(good, tmp_path / good.name))


def weights(change):
    """A defect: the weights go through a function."""

    def plant(root):
        path = root / "models/model.pt"
        torch.save(change(torch.load(path, weights_only=True)), path)

    return plant


def config(change):
    return lambda root: edit_json(root / "configs/inference.json", change)


def metadata(**values):
    """A defect: the output's metadata says something else."""
    return lambda root: edit_json(
        root / "configs/metadata.json", lambda m: m["network_data_format"]["outputs"]["pred"].update(values)
    )


def first(state):
    return next(iter(state))


def importing(code):
    def plant(root):
        (root / "scripts").mkdir()
        (root / "scripts/a.py").write_text(code)

    return plant


DEFECTS = {
    "objects in the weights": ("weights.safe", weights(lambda s: s | {"path": Path("x")})),
    "a key too few": ("weights.strict", weights(lambda s: {k: v for k, v in s.items() if k != first(s)})),
    "a key too many": ("weights.strict", weights(lambda s: s | {"extra": torch.zeros(1)})),
    "another shape": ("weights.strict", weights(lambda s: s | {first(s): torch.zeros(1)})),
    "not a number": ("weights.finite", weights(lambda s: s | {first(s): torch.full_like(s[first(s)], torch.nan)})),
    "another number of channels": ("network.random", metadata(num_channels=3, channel_def={})),
    "another size": ("network.random", metadata(spatial_shape=[24, 16])),
    "a network that is none": ("network.builds", config(lambda c: c["network_def"].update(no_such_argument=1))),
    "a step that is none": ("running.builds", config(lambda c: c["inferer"].update(_target_="NoSuchInferer"))),
    "no evaluator": ("configs.infer_ids", config(lambda c: (c.pop("evaluator"), c.update(initialize=[], run=[])))),
    "code that looks a host up": (
        "safety.imports",
        importing("import socket\n\ntry:\n    socket.getaddrinfo('localhost', 80)\nexcept OSError:\n    pass\n"),
    ),
    "code that cannot be imported": ("safety.imports", importing("raise RuntimeError('no')\n")),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_by_its_check_alone(bundle, defect):
    check, plant = DEFECTS[defect]
    plant(bundle)
    with open_bundle(bundle) as opened:
        results = list(verify(opened, Options(skip=("label", "files", "readme", "hub"))))
    assert [r.check for r in results if r.status in (Status.FAIL, Status.ERROR)] == [check]


def test_a_process_that_does_not_end_is_ended(bundle):
    importing("while True:\n    pass\n")(bundle)
    with open_bundle(bundle) as opened:
        (result,) = verify(opened, Options(only=("safety.imports",), timeout=5))
    assert result.status is Status.FAIL
    assert "5 s" in result.problems[0].why
