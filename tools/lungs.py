"""``python -m tools.lungs`` in a checkout: the installed ``cxr_tools.lungs``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.lungs", run_name="__main__", alter_sys=True)
