"""``python -m tools.simulate_findings`` in a checkout: the installed ``cxr_tools.simulate_findings``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("cxr_tools.simulate_findings", run_name="__main__", alter_sys=True)
