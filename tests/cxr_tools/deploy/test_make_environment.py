"""The environment for MONAI Deploy sees the collection, also where that is an editable installation."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.golden import REPOSITORY

SCRIPT = REPOSITORY / "common" / "cxr_tools" / "deploy" / "make_environment.sh"


def test_the_collection_can_be_imported_there(tmp_path):
    without_pip = tmp_path / "python"
    without_pip.write_text(f'#!/bin/sh\n[ "$2" = pip ] || exec "{sys.executable}" "$@"\n')
    without_pip.chmod(0o755)
    subprocess.run(["sh", SCRIPT, tmp_path / "env", without_pip], check=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    words = [tmp_path / "env" / "bin" / "python", "-c", "import cxr_tools.deploy, torch"]
    subprocess.run(words, check=True, cwd=tmp_path, env=environment)
