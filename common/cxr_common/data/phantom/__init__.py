"""Phantoms: procedural chest radiographs with simulated findings, exact masks and boxes."""

from cxr_common.data.phantom.config import FINDINGS, GENERATOR_VERSION, PhantomConfig
from cxr_common.data.phantom.generate import Phantom, make_phantom

__all__ = ["FINDINGS", "GENERATOR_VERSION", "Phantom", "PhantomConfig", "make_phantom"]
