"""``python -m tools.make_phantoms`` in a checkout: the installed ``cxr_tools.make_phantoms``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.make_phantoms", run_name="__main__", alter_sys=True)
