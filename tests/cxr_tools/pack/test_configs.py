from __future__ import annotations

import json

import pytest

from cxr_common.errors import InputError
from cxr_tools.pack.configs import initialize_of, packed_json, packed_yaml
from tools.bundles.generate import NOTICE

TRAIN = f"# {NOTICE}\n# why\nseed: 0\ninitialize:\n  - $seed(@seed)\nrun:\n  - $check()\n  - $go()   # comment\n"
OVERLAY = "epochs: 2\nrun:\n  - $check()\n"


def test_a_run_begins_with_what_initialize_was():
    packed = packed_yaml(TRAIN, "")
    assert packed == "# why\nseed: 0\nrun:\n  - $seed(@seed)\n  - $check()\n  - $go()   # comment\n"


def test_an_overlay_with_its_own_run_is_seeded_too():
    assert packed_yaml(OVERLAY, initialize_of(TRAIN)) == "epochs: 2\nrun:\n  - $seed(@seed)\n  - $check()\n"


def test_an_overlay_without_a_run_stays():
    assert packed_yaml("epochs: 2\n", initialize_of(TRAIN)) == "epochs: 2\n"


def test_json():
    text = json.dumps({"_comment": NOTICE, "a": 1, "initialize": ["$seed()"], "run": ["$go()"]})
    assert json.loads(packed_json(text, "x")) == {"a": 1, "run": ["$seed()", "$go()"]}
    assert json.loads(packed_json('{"version": "1"}', "x")) == {"version": "1"}
    with pytest.raises(InputError, match="no run"):
        packed_json('{"initialize": []}', "x")
