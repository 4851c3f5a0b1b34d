"""Checks any MONAI bundle, offline: `python -m tools.verify BUNDLE`. See docs/verify.md.

Nothing here imports `cxr_common`: with monai, torch, jsonschema and pyyaml this folder works alone.
"""
