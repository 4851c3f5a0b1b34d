"""A bundle's inference in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow


def findings_of(bundle: Path, images: Path, output: Path, **options: Any) -> dict[str, Any]:
    """Run ``inference.json`` on a folder of images; the content of findings.json."""
    flow = ConfigWorkflow(
        config_file=str(bundle / "configs" / "inference.json"),
        meta_file=str(bundle / "configs" / "metadata.json"),
        logging_file=None,
        workflow_type="infer",
        bundle_root=str(bundle),
        dataset_dir=str(images),
        output_dir=str(output),
        **options,
    )
    flow.initialize()
    flow.run()
    flow.finalize()
    record: dict[str, Any] = json.loads((output / "findings.json").read_text())
    return record
