#!/bin/bash
# An environment for MONAI Label 0.8.5 with a CPU build of torch and without torchvision.
# usage: make_environment.sh FOLDER REQUIREMENTS (requirements-train.txt of a packed bundle)
#
# MONAI Label's own requirements cannot be met as they are: they would pull torchvision, with it another torch, and SAM2;
# and pydicom 3, numpy 2 and dicomweb-client 0.60 break it. So it is installed without them, and they are named here.
set -euo pipefail
FOLDER=$1
REQUIREMENTS=$2
OLD=(numpy==1.26.4 pydicom==2.4.4 dicomweb-client==0.59.3)

python3 -m venv "$FOLDER"
PIP=("$FOLDER/bin/pip" install --quiet --no-input)
TORCH=$(grep '^torch==' "$REQUIREMENTS")
"${PIP[@]}" "$TORCH"
"${PIP[@]}" --requirement "$REQUIREMENTS"
"${PIP[@]}" --no-deps monailabel==0.8.5 numpymaxflow SimpleITK pydicom-seg==0.4.1
"${PIP[@]}" "$TORCH" itk==5.4.7 uvicorn fastapi pydantic-settings python-dotenv python-multipart httpx schedule timeloop \
    expiringdict expiring_dict cachetools watchdog pynetdicom pynrrd girder-client ninja filelock passlib pyjwt bcrypt \
    shapely requests requests-toolbelt scikit-learn google-auth gdown lmdb einops psutil pandas "${OLD[2]}"
"${PIP[@]}" --no-deps "${OLD[@]}"

# MONAI Label imports torchvision for two functions that no bundle of ours comes to.
STUB=$("$FOLDER/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torchvision
mkdir -p "$STUB"
echo '"""Stands in for torchvision, which has no build for a CPU-only torch here."""' > "$STUB/__init__.py"
printf 'def make_grid(*args, **kwargs):\n    raise RuntimeError("torchvision is not installed")\n\n\nsave_image = make_grid\n' > "$STUB/utils.py"
