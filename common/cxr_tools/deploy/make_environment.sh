#!/bin/sh
# An environment for MONAI Deploy beside that of this collection: make_environment.sh FOLDER PYTHON
# PYTHON is the collection's; its packages are seen, and what the SDK wants otherwise is installed in FOLDER alone.
set -e
"$2" -m venv --without-pip "$1"
site=$("$1/bin/python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")
# By addsitedir, which follows the .pth files there too: an editable install of this collection, as make setup makes, is one.
"$2" -c "import sysconfig; print(f'import site; site.addsitedir({sysconfig.get_path(\"purelib\")!r})')" > "$site/base.pth"
# Without dependencies: they would bring CUDA's packages and another protobuf. MONAI again, for the SDK is a part of it.
"$2" -m pip --python "$1/bin/python" install --quiet --no-deps --ignore-installed monai==1.6.1 monai-deploy-app-sdk==4.0.0 \
    holoscan-cu13==4.6.0 holoscan-cli==5.0.0 wheel-axle-runtime==0.0.13 typeguard==4.6.1 colorama==0.4.6 \
    python-rapidjson==1.25 tritonclient==2.73.0 geventhttpclient==2.6.1 gevent==26.9.0 zope.event==6.2 zope.interface==8.7 \
    brotli==1.2.1
