"""Starts: what is asked of a configuration before the first image is read. `table` is the list of all checks."""
