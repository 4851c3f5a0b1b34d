"""Benchmarks of what this collection makes faster than published code, in one run on one machine."""
