"""OHIF, a viewer for browsers, and a PACS behind one address, as a hospital serves them."""

from __future__ import annotations

import json
import mimetypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from tests.cxr_tools.pacs.orthanc import PASSWORD, USER, Orthanc

#: The folder with OHIF's built pages (`dist` of the package @ohif/app of the npm registry); `make test-viewer` sets it.
DIST = Path(os.environ.get("CXR_OHIF", ""))
_ROOT = "/dicom-web"
_SOURCE = {
    "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
    "sourceName": "orthanc",
    "configuration": {
        "friendlyName": "Orthanc",
        "name": "orthanc",
        "qidoRoot": _ROOT,
        "wadoRoot": _ROOT,
        "wadoUriRoot": _ROOT,
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "omitQuotationForMultipartRequest": True,
        "singlepart": "bulkdata,video",
    },
}
#: Chromium's software for WebGL, which a machine without a graphics card has, shows grey values of 12 bits wrongly.
_CONFIG = {
    "extensions": [],
    "modes": [],
    "customizationService": {},
    "useCPURendering": True,
    "defaultDataSourceName": "orthanc",
    "dataSources": [_SOURCE],
}


@contextmanager
def served(orthanc: Orthanc) -> Iterator[str]:
    """OHIF over a PACS, on loopback; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith(_ROOT):
                accept = {"Accept": self.headers.get("Accept", "*/*")}
                address = f"http://127.0.0.1:{orthanc.port}{self.path}"
                answer = requests.get(address, auth=(USER, PASSWORD), headers=accept, timeout=60)
                self.answer(answer.status_code, answer.headers.get("Content-Type", ""), answer.content)
            elif path == "/app-config.js":
                self.answer(200, "text/javascript", f"window.config = {json.dumps(_CONFIG)};".encode())
            else:
                file = DIST / path.lstrip("/")
                file = file if file.is_file() else DIST / "index.html"
                self.answer(200, mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())

        def answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # the browser needs no more of it
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
