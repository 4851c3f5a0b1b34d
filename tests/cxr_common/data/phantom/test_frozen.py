"""Published data sets and weights name phantoms by seed and index, so the same numbers must give the same pictures."""

import numpy as np
import pytest

from cxr_common.data.phantom import GENERATOR_VERSION, PhantomConfig, make_phantom

# Recorded from generator version 1. Statistics, not bytes: libraries and processors differ in the last bit.
# (seed, index, size): mean, deviation, quantiles 5, 25, 50, 75, 95 %, label, boxes.
RECORDED = {
    (0, 0, 128): ((0.42158, 0.31749, 0.0, 0.15565, 0.35777, 0.66918, 0.9651), [("Nodule", 39, 58, 44, 63)]),
    (7, 3, 128): ((0.58793, 0.27226, 0.0, 0.43913, 0.59121, 0.80212, 0.97322), []),
    (2024, 1000001, 128): (
        (0.46625, 0.31728, 0.0, 0.21821, 0.42997, 0.77645, 0.95145),
        [("Cardiomegaly", 46, 49, 103, 99)],
    ),
    (0, 0, 256): ((0.43407, 0.31851, 0.0, 0.16823, 0.37855, 0.6901, 0.96655), [("Nodule", 96, 115, 106, 125)]),
    (7, 3, 256): ((0.50557, 0.27223, 0.0, 0.33749, 0.4804, 0.70455, 0.94855), []),
    (2024, 1000001, 256): (
        (0.45459, 0.32299, 0.0, 0.19198, 0.41485, 0.77126, 0.95447),
        [("Cardiomegaly", 92, 96, 207, 197)],
    ),
}


def test_the_version_is_that_of_the_recorded_pictures():
    assert GENERATOR_VERSION == 1, "record the pictures below anew with the new version"


@pytest.mark.parametrize(("seed", "index", "size"), RECORDED)
def test_pictures_are_as_recorded(seed, index, size):
    statistics, boxes = RECORDED[seed, index, size]
    phantom = make_phantom(seed, index, PhantomConfig(size=size))
    image = phantom.image
    found = [image.mean(), image.std(), *np.quantile(image, [0.05, 0.25, 0.5, 0.75, 0.95])]
    np.testing.assert_allclose(found, statistics, atol=1e-4)
    assert phantom.boxes == boxes
