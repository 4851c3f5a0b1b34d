"""A sample application of MONAI Deploy: a folder of DICOM radiographs in; findings.json, DICOM SEG and SR out.

CXR_BUNDLE=cxr_pylon_localization python -m cxr_tools.deploy -i /my/xrays -o out
"""

from __future__ import annotations

import os
from pathlib import Path

from monai.deploy.conditions import CountCondition
from monai.deploy.core import Application

from cxr_common.loading import find_bundle
from cxr_tools.deploy.operators import FindingsOperator
from cxr_tools.pacs.run_bundle import possible_kinds


class FindingsApp(Application):
    """One operator, which runs the bundle that the environment's CXR_BUNDLE names."""

    def compose(self) -> None:
        """Put the operator together from the application's folders."""
        context = Application.init_app_context(self.argv)  # a function that the SDK put on the class
        bundle = find_bundle(os.environ.get("CXR_BUNDLE", "cxr_pylon_localization"))
        possible = possible_kinds(bundle)  # a detector has no masks to segment by
        operator = FindingsOperator(
            self,
            CountCondition(self, 1),
            bundle=bundle,
            input_folder=Path(context.input_path),
            output_folder=Path(context.output_path),
            outputs=("json", *(kind for kind in ("dicom_seg", "dicom_sr") if kind in possible)),
            name="findings",
        )
        self.add_operator(operator)


if __name__ == "__main__":
    FindingsApp().run()
