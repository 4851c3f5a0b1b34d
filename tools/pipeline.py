"""``python -m tools.pipeline`` in a checkout: the installed ``cxr_tools.pipeline``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.pipeline", run_name="__main__", alter_sys=True)
