"""Checks any MONAI bundle, offline: `cxr-verify BUNDLE`. See docs/how-to/verify.md.

Nothing here imports `cxr_common`: this folder works alone, and pyproject.toml in it makes it a package of its own. It
needs jsonschema, packaging and pyyaml, and for checks that run a bundle's code monai and torch.
"""

__version__ = "0.1.0"
