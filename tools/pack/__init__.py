"""Zips of bundles that run alone: `make pack`, see docs/how-to/pack.md."""
