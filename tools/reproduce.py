"""``python -m tools.reproduce`` in a checkout: the installed ``cxr_tools.reproduce``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.reproduce", run_name="__main__", alter_sys=True)
