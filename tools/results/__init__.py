"""Experiments behind the figures in README, cards and docs: data, training, scoring, rendering."""
