from __future__ import annotations

import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from cxr_common.axes import picture_to_tensor, tensor_to_picture
from cxr_common.refinement import chebyshev_bound, random_walk
from cxr_common.refinement.stencil import Stencil
from tests.golden import load
from tools.bench.dense import dense_affinities, dense_random_walk

SINGLE_AND_DOUBLE = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)], ids=["float32", "float64"]
)
SMALL = settings(max_examples=25, deadline=None)
shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))


def _case(shape=(2, 3, 12, 9), seed=0, dtype=torch.float64):
    """Maps and a boundary with all values, exact 0 and 1 among them."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(shape, generator=generator, dtype=dtype)
    boundary = torch.randn((shape[0], 1, *shape[2:]), generator=generator, dtype=dtype).clamp(0, 1)
    return maps, boundary


def _golden(name, case, dtype):
    arrays = load(name)
    cam, edge, rw = (picture_to_tensor(torch.from_numpy(arrays[f"{k}{case}"])) for k in ("cam", "edge", "rw"))
    radius, beta, exponent = arrays.get(f"params{case}", (3, 5, 3))
    found = random_walk(cam[None].to(dtype), edge[None, None].to(dtype), int(radius), float(beta), 2 ** int(exponent))
    assert found.dtype == dtype
    return arrays, found[0].double(), rw


@SINGLE_AND_DOUBLE
@pytest.mark.parametrize("case", range(5))
def test_walk_is_the_published_one(case, dtype, tolerance):
    _, found, rw = _golden("irn_randomwalk", case, dtype)
    assert (found - rw).abs().max() <= tolerance * rw.max()


@SINGLE_AND_DOUBLE
@pytest.mark.parametrize("case", range(2))
def test_chexseg_walk_is_the_published_one(case, dtype, tolerance):
    _, found, rw = _golden("chexseg_irn", case, dtype)
    assert (found - rw).abs().max() <= tolerance * rw.max()


@pytest.mark.parametrize("case", range(5))
def test_classes_after_the_walk_are_the_published_ones(case):
    arrays, found, _ = _golden("irn_randomwalk", case, torch.float32)
    picture = tensor_to_picture(found)
    height, width = arrays[f"sem{case}"].shape
    large = F.interpolate(picture[None], scale_factor=4, mode="bilinear", align_corners=False)[0, :, :height, :width]
    large = torch.cat((torch.full((1, height, width), 0.25, dtype=large.dtype), large / large.max()))
    differing = (large.argmax(0).numpy() != arrays[f"sem{case}"]).sum()
    assert differing <= arrays[f"sem_margin_small{case}"]


@pytest.mark.parametrize(("radius", "beta", "squarings"), [(2, 10, 8), (3, 5, 3), (5, 10, 8), (5, 0.5, 0), (6, 2, 5)])
@pytest.mark.parametrize("size", [(7, 11), (14, 3), (1, 1)])
def test_walk_is_the_dense_one(radius, beta, squarings, size):
    maps, boundary = _case((2, 3, *size))
    found = random_walk(maps, boundary, radius, beta, 2**squarings)
    for n in range(2):
        expected = dense_random_walk(maps[n], boundary[n, 0], radius, beta, squarings)
        assert (found[n] - expected).abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("size", [(40, 33), (9, 200)])
def test_float32_is_near_float64(size):
    maps, boundary = _case((1, 2, *size))
    single = random_walk(maps.float(), boundary.float(), steps=64)
    double = random_walk(maps.float().double(), boundary.float().double(), steps=64)
    assert (single - double).abs().max() <= 2e-6 * double.abs().max()


def test_blocks_change_nothing(monkeypatch):
    maps, boundary = _case((2, 2, 20, 15))
    whole = random_walk(maps, boundary, steps=5)
    monkeypatch.setattr("cxr_common.refinement.stencil._BLOCK", 256)
    torch.testing.assert_close(random_walk(maps, boundary, steps=5), whole)


def test_a_point_is_spread_without_losing_digits():
    maps = torch.zeros(1, 1, 61, 61)
    maps[..., 30, 30] = 1
    found, exact = (random_walk(m, torch.zeros_like(m)) for m in (maps, maps.double()))
    assert exact.max() < 2e-3
    assert (found - exact).abs().max() <= 2e-6 * exact.max()


@SMALL
@given(shapes, st.integers(0, 99), st.integers(2, 6), st.integers(0, 20))
def test_averages_stay_within_the_range_of_the_start(shape, seed, radius, steps):
    maps, boundary = _case(shape, seed, torch.float32)
    start = maps * (1 - boundary)
    found = random_walk(maps, boundary, radius, steps=steps)
    assert (found >= start.amin((2, 3), keepdim=True)).all() and (found <= start.amax((2, 3), keepdim=True)).all()


@SMALL
@given(shapes, st.floats(-1e6, 1e6, width=32), st.sampled_from([None, 3]))
def test_constants_stay_where_there_is_no_boundary(shape, value, chebyshev):
    maps = torch.full(shape, value)
    assert torch.equal(random_walk(maps, torch.zeros(shape[0], 1, *shape[2:]), chebyshev=chebyshev, steps=9), maps)


@SMALL
@given(shapes, st.integers(0, 99))
def test_no_steps_change_nothing(shape, seed):
    maps, boundary = _case(shape, seed)
    assert torch.equal(random_walk(maps, boundary, steps=0), maps * (1 - boundary))


@SMALL
@given(shapes, st.integers(0, 99), st.sampled_from([None, 12]))
def test_transposing_the_input_transposes_the_result(shape, seed, chebyshev):
    maps, boundary = _case(shape, seed)
    found = random_walk(maps.mT, boundary.mT, steps=20, chebyshev=chebyshev)
    torch.testing.assert_close(found, random_walk(maps, boundary, steps=20, chebyshev=chebyshev).mT)


def test_images_and_channels_are_independent():
    maps, boundary = _case((3, 4, 10, 8))
    found = random_walk(maps, boundary, steps=20)
    images, channels = torch.tensor([2, 0, 1]), torch.tensor([3, 1, 0, 2])
    torch.testing.assert_close(
        random_walk(maps[images][:, channels], boundary[images], steps=20), found[images][:, channels]
    )
    for n in range(3):
        for c in range(4):
            alone = random_walk(maps[n : n + 1, c : c + 1], boundary[n : n + 1], steps=20)
            torch.testing.assert_close(alone[0, 0], found[n, c])


def test_the_walk_is_linear():
    (a, boundary), (b, _) = _case(), _case(seed=1)
    sums = random_walk(2 * a - b, boundary, steps=30)
    torch.testing.assert_close(sums, 2 * random_walk(a, boundary, steps=30) - random_walk(b, boundary, steps=30))


@pytest.mark.parametrize("diagonal", [False, True])
def test_walls_are_not_crossed(diagonal):
    x, y = torch.meshgrid(torch.arange(20), torch.arange(24), indexing="ij")
    side = (x + y - 20 if diagonal else x - 9).sign()
    maps = (side < 0).float()[None, None]
    found = random_walk(maps, (side == 0).float()[None, None])[0, 0]
    assert (found[side >= 0] == 0).all()
    torch.testing.assert_close(found[side < 0], torch.ones(int((side < 0).sum())))


@pytest.mark.parametrize("strength", [0.3, 0.9, 0.99, 0.999, 0.9997])
def test_strong_boundaries_make_no_denormals(strength, monkeypatch):
    """Weights of 1e-30, and a start whose front would pass through all denormals, which are slow on some processors."""
    smallest = []

    def spy(self):
        for here, there, _, _, weight, _ in self._views:
            products = ((there - here) * weight).abs()
            smallest.append(products[products > 0].min().item() if products.any() else 1.0)
        return differences(self)

    differences = Stencil.differences
    monkeypatch.setattr(Stencil, "differences", spy)
    maps = torch.zeros(1, 1, 40, 40)
    maps[..., 20, 25] = 1
    found = random_walk(maps, torch.full((1, 1, 40, 40), strength), steps=12)
    assert torch.isfinite(found).all() and found.max() > 0
    assert min(smallest) > torch.finfo(torch.float32).tiny


def test_strong_boundaries_do_not_make_it_slow():
    maps = torch.rand(1, 2, 64, 64)
    seconds = []
    for strength in (0.3, 0.999):
        begin = time.process_time()
        assert torch.isfinite(random_walk(maps, torch.full((1, 1, 64, 64), strength))).all()
        seconds.append(time.process_time() - begin)
    assert seconds[1] < 4 * seconds[0] + 0.5


@pytest.mark.parametrize("degree", [20, 40, 60, 80, 100, 256, 300])
@pytest.mark.parametrize("seed", range(2))
def test_chebyshev_error_is_within_the_bound(degree, seed):
    """In the norm of the bound: weighted with the row sums, which here are made from the definition."""
    maps, boundary = _case((1, 3, 12, 10), seed)
    maps = maps.abs()
    maps[..., 0, 0] = 0  # the minimum, so that the start is its own distance from it
    exact, found = (random_walk(maps, boundary, chebyshev=k) for k in (None, degree))
    sums = _row_sums(boundary[0, 0])
    error, start = ((v.square() * sums).sum((2, 3)).sqrt() for v in (found - exact, maps * (1 - boundary)))
    assert (error <= (chebyshev_bound(256, degree) + 1e-12) * start).all()


def _row_sums(boundary):
    return dense_affinities(boundary, 5).pow(10).sum(0).view_as(boundary)


def test_chebyshev_in_float32():
    maps, boundary = _case((1, 2, 40, 40))
    exact = random_walk(maps, boundary)
    found = random_walk(maps.float(), boundary.float(), chebyshev=100)
    assert (found - exact).abs().max() <= 1e-5 * exact.abs().max()


def test_chebyshev_bounds():
    assert chebyshev_bound(4, 1) == 10 / 16  # ends: 0 in 6, 2 in 8, 4 in 2 of 16 walks
    assert chebyshev_bound(4, 2) == 2 / 16
    assert chebyshev_bound(256, 256) == 0
    assert 1e-7 < chebyshev_bound(256, 80) < 1e-6
    assert chebyshev_bound(1000, 200) < 1e-8


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64])
def test_other_dtypes_are_computed_in_float32(dtype):
    maps = torch.arange(24).view(1, 1, 4, 6).to(dtype)
    found = random_walk(maps, torch.zeros(1, 1, 4, 6, dtype=torch.float16), steps=3)
    torch.testing.assert_close(found, random_walk(maps.float(), torch.zeros(1, 1, 4, 6), steps=3))


def test_inputs_are_not_changed():
    maps, boundary = _case(dtype=torch.float32)
    copies = maps.clone(), boundary.clone()
    random_walk(maps.requires_grad_(), boundary, steps=3)
    assert torch.equal(maps, copies[0]) and torch.equal(boundary, copies[1])


def test_no_channels_are_no_work():
    assert random_walk(torch.zeros(2, 0, 5, 6), torch.zeros(2, 1, 5, 6)).shape == (2, 0, 5, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"maps": torch.rand(2, 3, 12)}, "maps"),
        ({"maps": torch.rand(1, 3, 12, 9)}, "maps"),
        ({"maps": torch.rand(2, 3, 9, 12)}, "maps"),
        ({"maps": torch.full((2, 3, 12, 9), torch.nan)}, "finite"),
        ({"maps": torch.full((2, 3, 12, 9), torch.inf)}, "finite"),
        ({"boundary": torch.rand(2, 2, 12, 9)}, "boundary"),
        ({"boundary": torch.full((2, 1, 12, 9), 1.01)}, r"\[0, 1\]"),
        ({"boundary": torch.full((2, 1, 12, 9), -0.01)}, r"\[0, 1\]"),
        ({"boundary": torch.full((2, 1, 12, 9), torch.nan)}, r"\[0, 1\]"),
        ({"radius": 1}, "radius"),
        ({"beta": 0}, "beta"),
        ({"beta": float("nan")}, "beta"),
        ({"steps": -1}, "steps"),
        ({"chebyshev": 0}, "chebyshev"),
    ],
)
def test_bad_input_is_refused(change, message):
    maps, boundary = _case()
    with pytest.raises(ValueError, match=message):
        random_walk(**{"maps": maps, "boundary": boundary, **change})
