"""Settings of the generator: what is refused, and what the hash tells apart."""

import math

import pytest

from cxr_common.data.phantom import FINDINGS, PhantomConfig
from cxr_common.data.phantom.simulators import SIMULATORS
from cxr_common.errors import InputError
from cxr_common.labels import LABELS


def test_every_finding_is_a_label_and_has_a_simulator():
    assert set(FINDINGS) == set(SIMULATORS) == set(LABELS) - {"Opacity"}
    assert set(PhantomConfig().prevalence) == set(FINDINGS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 63),
        ("size", 4097),
        ("size", 128.0),
        ("size", "128"),
        ("size", True),
        ("no_finding", -0.1),
        ("no_finding", 1.1),
        ("no_finding", math.nan),
        ("prevalence", {"Fracture": 1.0}),
        ("prevalence", {"Mass": -1.0}),
        ("prevalence", {"Mass": math.nan}),
        ("prevalence", {"Mass": "often"}),
        ("prevalence", {"Mass": 0.0}),
        ("prevalence", ["Mass"]),
        ("max_findings", 0),
        ("max_findings", 8),
        ("contrast", 0.0),
        ("contrast", 5.1),
        ("scale", 0),
        ("scale", 3.1),
        ("scale", None),
    ],
)
def test_refuses_values_out_of_range(name, value):
    with pytest.raises(InputError, match=f"phantom config: {name}"):
        PhantomConfig(**{name: value})


def test_prevalence_may_be_empty_where_no_image_has_a_finding():
    assert PhantomConfig(no_finding=1.0, prevalence={}).prevalence == {}


def test_dictionary_gives_the_settings_back():
    config = PhantomConfig(size=100, prevalence={"Mass": 2}, scale=0.5)
    assert PhantomConfig.from_dict(config.to_dict()) == config
    assert PhantomConfig.from_dict({}) == PhantomConfig()
    with pytest.raises(InputError, match="unknown settings colour"):
        PhantomConfig.from_dict({"colour": 1})


def test_hash_differs_where_a_setting_does(monkeypatch):
    hashes = {PhantomConfig(**change).sha256() for change in ({}, {"size": 128}, {"prevalence": {"Mass": 1.0}})}
    assert len(hashes) == 3
    assert PhantomConfig().sha256() in hashes
    monkeypatch.setattr("cxr_common.data.phantom.config.GENERATOR_VERSION", 2)
    assert PhantomConfig().sha256() not in hashes
