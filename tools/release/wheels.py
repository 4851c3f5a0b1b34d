"""The wheels: cxr_bundles with the four packages that users need, and cxr_verify alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cxr_common.errors import InputError

#: 1 January 1980, the first moment that a wheel can name: the same content gives the same bytes.
_MOMENT = "315532800"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")


def build_wheels(repository: Path, output: Path) -> list[Path]:
    """Build both wheels in copies of what they need, since setuptools packs whatever an older build left behind.

    Args:
        repository: folder of the checkout.
        output: folder of the wheels.

    Raises:
        InputError: one cannot be built.
    """
    with tempfile.TemporaryDirectory(prefix="cxr-release-") as folder:
        whole, alone = Path(folder) / "whole", Path(folder) / "alone"
        shutil.copytree(repository / "common", whole / "common", ignore=_LEFT_OUT)
        shutil.copytree(repository / "common" / "cxr_verify", alone, ignore=_LEFT_OUT)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(repository / name, whole)
        shutil.copy(repository / "LICENSE", alone)
        return [_build(source, output) for source in (whole, alone)]


def _build(source: Path, output: Path) -> Path:
    words = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    words += ["--disable-pip-version-check", "--wheel-dir", str(source / "wheel"), str(source)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": _MOMENT}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise InputError(f"no wheel can be built ({''.join(last)})", source.name, "make setup, then try again")
    (built,) = (source / "wheel").glob("*.whl")
    output.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(built, output / built.name))
