"""Operators for MONAI Deploy App SDK 4.0."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from monai.deploy.core import Fragment, Image, Operator, OperatorSpec
from monai.deploy.operators.monai_bundle_inference_operator import MonaiBundleInferenceOperator

from cxr_common.dicom_results import possible_kinds
from cxr_common.transforms import LoadRadiograph
from cxr_tools.workflow import run_workflow, workflow_command


def deploy_image(path: Path) -> Image:
    """A radiograph as the SDK's image: grey values (1, X, Y) in [0, 1], with the reader's metadata.

    The SDK's own reading of DICOM leaves out the window and the inversion of MONOCHROME1.

    Raises:
        InputError: the file cannot be used.
    """
    image = LoadRadiograph()(path)
    affine = image.affine.numpy()
    return Image(image.numpy(), metadata={**image.meta, "affine": affine, "original_affine": affine})


class RadiographOperator(Operator):
    """Reads one radiograph and emits it as ``image``.

    Args:
        fragment: the application.
        args: conditions.
        path: of the file.
        kwargs: such as ``name``.
    """

    def __init__(self, fragment: Fragment, *args: Any, path: Path, **kwargs: Any) -> None:
        self.path = path
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """Declare the output."""
        spec.output("image")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Read the file. Errors as :func:`deploy_image`."""
        op_output.emit(deploy_image(self.path), "image")


class RadiographBundleOperator(MonaiBundleInferenceOperator):
    """The SDK's bundle operator for a bundle's folder of this collection: label masks from images in memory.

    For the localisers named "localization" and the segmenter. The SDK leaves ``bundle_root`` at the working directory,
    which is here the bundle's folder while its parts are made.
    """

    def _init_config(self, config_names: Any) -> None:
        with contextlib.chdir(self.bundle_path):
            super()._init_config(config_names)


class FindingsOperator(Operator):
    """Runs a bundle's own inference on a folder: findings.json, DICOM SEG and SR as a PACS takes them.

    Args:
        fragment: the application.
        args: conditions.
        bundle: folder of the bundle.
        input_folder: of radiographs.
        output_folder: for the results.
        outputs: kinds of results, see docs/reference/findings.md; default "json", "dicom_sr" and, of bundles that make
            masks, "dicom_seg".
        kwargs: such as ``name``.
    """

    def __init__(
        self,
        fragment: Fragment,
        *args: Any,
        bundle: Path,
        input_folder: Path,
        output_folder: Path,
        outputs: tuple[str, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        self.bundle, self.input_folder, self.output_folder = bundle, input_folder, output_folder
        self.outputs = outputs or ("json", *(k for k in possible_kinds(bundle) if k in ("dicom_seg", "dicom_sr")))
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """Nothing comes in or goes out in memory."""

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Run the bundle in a process of its own.

        Raises:
            RuntimeError: a file could not be used, or the run failed; says why.
        """
        options = {"dataset_dir": self.input_folder, "output_dir": self.output_folder, "outputs": list(self.outputs)}
        command = workflow_command(self.bundle, [self.bundle / "configs" / "inference.json"], options)
        self.output_folder.mkdir(parents=True, exist_ok=True)
        log = self.output_folder / "inference.log"
        status, reason = run_workflow(command, log)
        if status:
            text = f"the bundle's inference failed: {reason or f'see {log}'}"
            print(text, file=sys.stderr)
            raise RuntimeError(text)
