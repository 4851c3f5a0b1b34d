from __future__ import annotations

import re

import cxr_common
from tests.golden import REPOSITORY


def test_configs_find_every_module_of_the_package_that_they_name():
    """Also where nothing has imported it before."""
    configs = [path for path in REPOSITORY.glob("bundles/*/configs/*") if path.suffix in (".yaml", ".json")]
    named = {name for path in configs for name in re.findall(r"\bcxr_common\.(\w+)", path.read_text("utf-8"))}
    assert named and named <= {*cxr_common._MODULES}
