from __future__ import annotations

from importlib.util import find_spec

#: The operator's own process imports it, in an environment that has the SDK.
collect_ignore = [] if find_spec("monai.deploy") else ["operator.py"]
