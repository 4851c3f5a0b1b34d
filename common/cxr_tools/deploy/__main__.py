"""A sample application of MONAI Deploy: a folder of DICOM radiographs in; findings.json, DICOM SEG and SR out.

CXR_BUNDLE=cxr_pylon_localization python -m cxr_tools.deploy -i /my/xrays -o out
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from monai.deploy.conditions import CountCondition
from monai.deploy.core import Application

from cxr_common.cli import one_line_errors
from cxr_common.loading import find_bundle
from cxr_tools.deploy.operators import FindingsOperator


class FindingsApp(Application):
    """One operator, which runs the bundle that the environment's CXR_BUNDLE names."""

    def compose(self) -> None:
        """Put the operator together from the application's folders."""
        context = Application.init_app_context(self.argv)  # a function that the SDK put on the class
        operator = FindingsOperator(
            self,
            CountCondition(self, 1),
            bundle=asked_bundle(),
            input_folder=Path(context.input_path),
            output_folder=Path(context.output_path),
            name="findings",
        )
        self.add_operator(operator)


def asked_bundle() -> Path:
    """Folder of the bundle that CXR_BUNDLE names.

    Raises:
        InputError: there is none of this name.
    """
    return find_bundle(os.environ.get("CXR_BUNDLE", "cxr_pylon_localization"))


@one_line_errors
def main() -> int:
    """Run the application; returns the exit status."""
    asked_bundle()  # an error inside compose leaves the SDK waiting
    FindingsApp().run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
