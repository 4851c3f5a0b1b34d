"""``python -m tools.pacs`` in a checkout: the installed ``cxr_tools.pacs``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.pacs", run_name="__main__", alter_sys=True)
