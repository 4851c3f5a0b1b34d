"""Shared code of the chest X-ray bundle collection: weakly supervised localisation on MONAI."""

__version__ = "0.1.0"
