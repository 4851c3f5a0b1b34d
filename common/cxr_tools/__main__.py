"""``python -m cxr_tools`` is the program `cxr`."""

import sys

from cxr_tools.program import main

if __name__ == "__main__":
    sys.exit(main())
