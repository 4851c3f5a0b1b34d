"""Zips of bundles that run alone: `make pack`, see docs/pack.md."""
