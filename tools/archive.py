"""``python -m tools.archive`` in a checkout: the installed ``cxr_tools.archive``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.archive", run_name="__main__", alter_sys=True)
