"""``python -m tools.verify`` in a checkout: the installed ``cxr_verify``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_verify", run_name="__main__", alter_sys=True)
