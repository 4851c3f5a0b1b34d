from __future__ import annotations

import pytest

from cxr_common.lazy import lazy_attributes


def test_a_name_is_imported_on_first_use_and_others_are_refused():
    get = lazy_attributes("json", {"JSONDecoder": "decoder"})
    import json.decoder

    assert get("JSONDecoder") is json.decoder.JSONDecoder
    with pytest.raises(AttributeError, match="module 'json' has no attribute 'JSONEncoder'"):
        get("JSONEncoder")


def test_a_name_that_its_module_would_hide_is_refused():
    with pytest.raises(ValueError, match="decoder would be hidden"):
        lazy_attributes("json", {"decoder": "decoder"})
