"""Checks any MONAI bundle, offline: `cxr-verify BUNDLE`. See docs/how-to/verify.md.

Nothing here imports `cxr_common`: with monai, torch, jsonschema and pyyaml this folder works alone.
"""
