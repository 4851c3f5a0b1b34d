"""Chest radiographs from a PACS, and results back into it."""
