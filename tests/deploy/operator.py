"""Runs MONAI Deploy's bundle operator on one radiograph: BUNDLE FILE MASK.npy."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from monai.deploy.core import Application, Image, IOType
from monai.deploy.operators.monai_bundle_inference_operator import IOMapping

from cxr_tools.deploy.operators import RadiographBundleOperator, deploy_image


class Empty(Application):
    def compose(self):
        pass


class Output:
    def get(self, name):
        return None

    def emit(self, value, name):
        self.value = value


def main(bundle, file, mask):
    image, output = deploy_image(Path(file)), Output()
    operator = RadiographBundleOperator(
        Empty([]),
        app_context=SimpleNamespace(models=None),
        input_mapping=[IOMapping("image", Image, IOType.IN_MEMORY)],
        output_mapping=[IOMapping("pred", Image, IOType.IN_MEMORY)],
        bundle_path=Path(bundle),
        name="bundle",
    )
    operator.compute(SimpleNamespace(receive=lambda name: image), output, None)
    np.save(mask, output.value.asnumpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
