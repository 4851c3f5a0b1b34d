"""The fully connected CRF against a sum over all pairs of pixels, written in numpy from the paper."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch

from cxr_common.axes import picture_to_tensor
from cxr_common.networks.crf import CrfSettings, dense_crf, mean_field, refine_labels, unary_from_labels
from tests.golden import SHARED, needs_radiographs


def brute_force(unary, image, s=None):
    """One image: unary (L, X, Y), image (1 or 3, X, Y)."""
    s = s or CrfSettings()
    unary, image = (np.asarray(a, dtype=np.float64) for a in (unary, image))
    labels, width, height = unary.shape
    energy = unary.reshape(labels, -1)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(width), np.arange(height), indexing="ij"))
    colour = np.broadcast_to(image, (3, width, height)).reshape(3, -1)
    far = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    different = ((colour[:, :, None] - colour[:, None]) ** 2).sum(0)
    total = np.zeros_like(far, dtype=np.float64)
    for weight, kernel in (
        (s.gaussian_compat, np.exp(-far / (2 * s.gaussian_sxy**2))),
        (s.bilateral_compat, np.exp(-far / (2 * s.bilateral_sxy**2) - different / (2 * s.bilateral_srgb**2))),
    ):
        norm = np.sqrt(kernel.sum(1))
        total += weight * kernel / norm[:, None] / norm
    q = np.exp(-energy) / np.exp(-energy).sum(0)
    for _ in range(s.iterations):
        logits = q @ total - energy
        e = np.exp(logits - logits.max(0))
        q = e / e.sum(0)
    return q.reshape(unary.shape)


def case(n=1, labels=3, channels=1, width=16, height=16, seed=0):
    """Random labels and a smooth image with an edge and noise, so that both kernels matter."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(width), np.arange(height), indexing="ij")
    image = 90 + 3 * x + 2 * y + 40 * (x > width // 2) + rng.normal(0, 4, (n, channels, width, height))
    maps = torch.from_numpy(rng.integers(0, labels, (n, width, height)))
    return maps, torch.from_numpy(image.clip(0, 255))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("labels", [1, 2, 5])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 1e-6)])
def test_equals_the_sum_over_all_pairs(channels, labels, dtype, tolerance):
    maps, image = case(2, labels, channels, seed=labels)
    unary, image = unary_from_labels(maps, labels).to(dtype), image.to(dtype)
    q = dense_crf(unary, image)
    assert q.dtype == dtype
    for i in range(2):
        np.testing.assert_allclose(q[i], brute_force(unary[i], image[i]), atol=tolerance, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_equals_it_for_other_sizes_settings_and_soft_unaries(channels):
    settings = CrfSettings(1.5, 2.0, 4.0, 11.0, 5.0, 3)
    _, image = case(1, 2, channels, 23, 11, seed=7)
    unary = torch.rand(1, 4, 23, 11, generator=torch.manual_seed(0), dtype=torch.float64) * 3
    expected = brute_force(unary[0], image[0], settings)
    np.testing.assert_allclose(dense_crf(unary, image, settings)[0], expected, atol=1e-7, rtol=0)


def test_blocks_change_nothing(monkeypatch):
    for channels in (1, 3):
        maps, image = case(1, 3, channels)
        whole = refine_labels(maps, 3, image), dense_crf(unary_from_labels(maps, 3), image)
        monkeypatch.setattr("cxr_common.networks.crf._BLOCK", 500)
        assert torch.equal(refine_labels(maps, 3, image), whole[0])
        torch.testing.assert_close(dense_crf(unary_from_labels(maps, 3), image), whole[1], atol=1e-5, rtol=0)
        monkeypatch.undo()


def test_grey_is_three_equal_channels():
    maps, image = case(1, 3, 1, 14, 18)
    unary = unary_from_labels(maps, 3).double()
    colour = image.expand(-1, 3, -1, -1)
    torch.testing.assert_close(dense_crf(unary, image), dense_crf(unary, colour), atol=1e-7, rtol=0)


def test_unaries_are_those_of_pydensecrf():
    unary = unary_from_labels(torch.tensor([[[0, 2], [1, 0]]]), 3)
    assert unary.dtype == torch.float32
    assert unary.shape == (1, 3, 2, 2)
    sure, other = -math.log(0.7), -math.log(0.15)
    torch.testing.assert_close(unary[0, :, 0, 1], torch.tensor([other, other, sure]))
    torch.testing.assert_close(unary[0, :, 1, 0], torch.tensor([other, sure, other]))


def test_one_label_is_certain():
    maps, image = case(1, 1)
    unary = unary_from_labels(maps, 1)
    assert unary.isfinite().all()
    assert (dense_crf(unary, image) == 1).all()


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("channels", [1, 3])
def test_constant_images_have_no_nan(level, channels):
    maps, _ = case(1, 2, 1, 20, 20)
    q = dense_crf(unary_from_labels(maps, 2), torch.full((1, channels, 20, 20), level))
    assert q.isfinite().all()
    torch.testing.assert_close(q.sum(1), torch.ones(1, 20, 20))


def test_it_smooths_inside_an_edge_and_not_over_it():
    truth = torch.zeros(1, 24, 32, dtype=torch.long)
    truth[:, 9:] = 1
    noisy = truth.where(torch.rand(truth.shape, generator=torch.manual_seed(0)) > 0.2, 1 - truth)
    image = 60 + 100 * truth[:, None].float()
    assert (noisy != truth).sum() > 100
    assert torch.equal(refine_labels(noisy, 2, image, settings=CrfSettings(gaussian_compat=0.5)), truth)


@pytest.mark.parametrize("channels", [1, 3])
def test_transposed_inputs_give_transposed_outputs(channels):
    maps, image = case(1, 3, channels, 12, 20)
    q = dense_crf(unary_from_labels(maps, 3).double(), image)
    turned = dense_crf(unary_from_labels(maps.mT, 3).double(), image.mT)
    torch.testing.assert_close(turned, q.mT, atol=1e-10, rtol=0)


def test_permuted_labels_give_permuted_probabilities():
    maps, image = case(1, 4)
    unary = unary_from_labels(maps, 4).double()
    order = [2, 0, 3, 1]
    torch.testing.assert_close(dense_crf(unary[:, order], image), dense_crf(unary, image)[:, order])


def test_a_shared_image_is_as_good_as_one_each():
    maps, image = case(3, 2)
    unary = unary_from_labels(maps, 2).double()
    torch.testing.assert_close(dense_crf(unary, image[:1]), dense_crf(unary, image[:1].expand(3, -1, -1, -1)))


def test_no_iterations_and_no_weights_are_the_unary():
    maps, image = case()
    unary = unary_from_labels(maps, 3)
    for settings in (CrfSettings(iterations=0), CrfSettings(gaussian_compat=0, bilateral_compat=0)):
        torch.testing.assert_close(dense_crf(unary, image, settings), torch.softmax(-unary, 1))


def test_a_stride_shrinks_distances_only():
    assert CrfSettings().at_stride(4) == CrfSettings(0.75, 3, 12.5, 5, 10, 10)


def test_another_solver_takes_its_place():
    seen = []

    def solver(unary, image, settings):
        seen.append((unary.shape, image.shape, settings))
        return 1 - mean_field(unary, image, settings)

    maps, image = case(1, 2)
    settings = CrfSettings(iterations=2)
    refined = refine_labels(maps, 2, image, settings=settings, solver=solver)
    assert seen == [((1, 2, 16, 16), (1, 1, 16, 16), settings)]
    assert torch.equal(refined, 1 - refine_labels(maps, 2, image, settings=settings))
    assert refined.dtype == maps.dtype


@pytest.mark.parametrize(
    ("unary", "image"),
    [
        ((2, 8, 8), (1, 1, 8, 8)),
        ((1, 2, 8, 8), (1, 8, 8)),
        ((1, 2, 8, 8), (1, 2, 8, 8)),
        ((1, 2, 8, 8), (1, 1, 8, 9)),
        ((3, 2, 8, 8), (2, 1, 8, 8)),
    ],
)
def test_shapes_that_do_not_agree_are_refused(unary, image):
    with pytest.raises(ValueError, match="unary must be"):
        dense_crf(torch.zeros(unary), torch.zeros(image))


@pytest.mark.parametrize("bad", [-1.0, 256.0, float("nan")])
def test_bad_grey_levels_are_refused(bad):
    with pytest.raises(ValueError, match=r"0\.\.255"):
        dense_crf(torch.zeros(1, 2, 4, 4), torch.full((1, 1, 4, 4), bad))
    with pytest.raises(ValueError, match="NaN"):
        dense_crf(torch.full((1, 2, 4, 4), float("nan")), torch.zeros(1, 1, 4, 4))


def test_bad_labels_and_settings_are_refused():
    for labels, n in ((2, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="labels must lie"):
            unary_from_labels(torch.full((1, 2, 2), labels), n)
    for p in (0.0, 1.0):
        with pytest.raises(ValueError, match="gt_prob"):
            unary_from_labels(torch.zeros(1, 2, 2, dtype=torch.long), 2, p)
    with pytest.raises(ValueError, match="positive"):
        CrfSettings(gaussian_sxy=0)


@needs_radiographs
def test_a_real_radiograph_at_stride_8():
    from PIL import Image

    picture = Image.open(sorted((SHARED / "cxr" / "images").rglob("*.png"))[0]).convert("L").resize((48, 40))
    image = picture_to_tensor(torch.from_numpy(np.array(picture)))[None, None]
    maps = (image[:, 0] > 128).long()
    unary, settings = unary_from_labels(maps, 2), CrfSettings().at_stride(8)
    np.testing.assert_allclose(
        dense_crf(unary, image, settings)[0], brute_force(unary[0], image[0], settings), atol=1e-6, rtol=0
    )


@pytest.mark.slow
def test_a_512_px_radiograph_takes_at_most_two_seconds_on_its_grid():
    maps, image = case(1, 2, 1, 128, 128)
    image = (image - image.min()) / (image.max() - image.min()) * 255  # the whole range is the dearest
    times = []
    for _ in range(3):
        start = time.process_time()
        refine_labels(maps, 2, image.float(), settings=CrfSettings().at_stride(4))
        times.append(time.process_time() - start)
    assert min(times) <= 2, times
