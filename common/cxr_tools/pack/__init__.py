"""Zips of bundles that run alone: `cxr pack` and `make pack`, see docs/how-to/pack.md."""
