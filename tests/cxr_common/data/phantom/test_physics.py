"""From thickness to a picture: attenuation by hand, and what exposure and display must keep."""

import numpy as np
import pytest
from scipy import ndimage

from cxr_common.data.phantom.fields import blur, coordinates, soft_step, texture
from cxr_common.data.phantom.physics import BONE, LUNG, SOFT, attenuation, display, expose


def test_attenuation_is_the_sum_over_what_the_beam_passes():
    one = np.ones((1, 1), np.float32)
    assert attenuation(20 * one, 12 * one, 1 * one).item() == pytest.approx(7 * SOFT + 12 * LUNG + 1 * BONE)
    # Bone and air that a thin body cannot hold take no soft tissue below nothing.
    assert attenuation(1 * one, 5 * one, 0 * one).item() == pytest.approx(5 * LUNG)


def test_denser_is_brighter_through_exposure_and_display():
    integral = np.tile(np.linspace(1, 4, 128, dtype=np.float32), (128, 1))
    film = expose(integral, np.random.default_rng(0))
    columns = film.mean(axis=0)
    assert (np.diff(columns[::8]) > 0).all()
    picture = display(film, np.random.default_rng(0))
    assert picture.min() == 0 and picture.max() == pytest.approx(1, abs=0.02)
    assert (np.diff(picture.mean(axis=0)[16:-16:8]) > 0).all()


def test_scatter_lightens_the_edge_of_a_shadow_and_noise_grows_with_thickness():
    integral = np.full((128, 128), 1, np.float32)
    integral[:, 64:] = 4
    film = expose(integral, np.random.default_rng(1))
    thin, thick = film[20:-20, 8:40], film[20:-20, 88:120]
    assert thick.mean() - thin.mean() == pytest.approx(3, abs=0.1)  # far from the edge scatter is a constant factor
    assert film[20:-20, 70].mean() < thick.mean() - 0.5
    assert thick.std(axis=0).mean() > 2 * thin.std(axis=0).mean()


def test_blur_on_the_coarse_grid_is_near_the_plain_one():
    rng = np.random.default_rng(0)
    picture = ndimage.gaussian_filter(rng.normal(size=(128, 128)), 4).astype(np.float32)
    plain = ndimage.gaussian_filter(picture, 12, mode="nearest", truncate=3)
    inner = (slice(12, -12),) * 2
    assert np.abs(blur(picture, 12) - plain)[inner].mean() < 0.02 * np.ptp(plain)


def test_coordinates_are_pixel_centres():
    x, y = coordinates(4)
    np.testing.assert_allclose(x, [[-0.75, -0.25, 0.25, 0.75]])
    np.testing.assert_allclose(y, x.T)


def test_soft_step_and_texture():
    np.testing.assert_allclose(soft_step(np.array([-1, -0.1, 0, 0.1, 1]), 0.2), [0, 0.25, 0.5, 0.75, 1])
    made = texture(np.random.default_rng(0), 100, 10)
    assert made.shape == (100, 100)
    assert made.mean() == pytest.approx(0, abs=1e-5) and made.std() == pytest.approx(1, abs=1e-3)
