"""``python -m tools.convert_published`` in a checkout: the installed ``cxr_tools.convert_published``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.convert_published", run_name="__main__", alter_sys=True)
