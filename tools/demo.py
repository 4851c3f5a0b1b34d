"""``python -m tools.demo`` in a checkout: the installed ``cxr_tools.demo``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.demo", run_name="__main__", alter_sys=True)
