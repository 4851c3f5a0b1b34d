"""Zips of this repository's bundles: `make pack`, see docs/how-to/pack.md."""
