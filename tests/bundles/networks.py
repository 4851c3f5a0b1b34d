"""A bundle's network as its inference config makes it."""

from __future__ import annotations

from monai.bundle import ConfigParser


def make_network(bundle, **options):
    """The network of ``inference.json`` with random weights; `options` override its entries."""
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.json")
    for key, value in options.items():
        parser[key] = value
    return parser.get_parsed_content("network_def")
