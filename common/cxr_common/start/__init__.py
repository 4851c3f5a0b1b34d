"""Starts: what is asked of a configuration before the first image is read. `table` is the list of all checks."""

from cxr_common.lazy import lazy_attributes

__getattr__ = lazy_attributes(__name__, {"used_settings": "identity"})
