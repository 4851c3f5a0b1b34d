"""``python -m tools.prepare`` in a checkout: the installed ``cxr_tools.prepare``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.prepare", run_name="__main__", alter_sys=True)
