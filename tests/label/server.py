"""A MONAI Label server: start, ask, kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """Of one request: status, kind of content, content."""

    status: int
    kind: str
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Server:
    """Runs while it is entered; ``settings`` are those of ``--conf``."""

    def __init__(self, python: str, app: Path, studies: Path, folder: Path, **settings: str) -> None:
        self.python, self.app, self.studies, self.folder, self.settings = python, app, studies, folder, settings
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        words = [self.python, "-m", "monailabel.main", "start_server", "--app", str(self.app)]
        words += ["--studies", str(self.studies), "--host", "127.0.0.1", "--port", str(self.port)]
        for key, value in self.settings.items():
            words += ["--conf", key, value]
        return words

    def start(self, wait: float = 240.0) -> Server:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
        environment = kept | {
            "OMP_NUM_THREADS": "1",
            "MONAI_LABEL_DATASTORE_FILE_EXT": '["*.png","*.dcm"]',
            "PATH": f"{Path(self.python).parent}:{os.environ['PATH']}",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + wait
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.get("/info/")
                return self
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
        raise RuntimeError(f"the server did not start: {self.text()[-1500:]}")

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to the server and its children, and wait for its end."""
        if self.process is not None:
            os.killpg(self.process.pid, how)
            self.process.wait(60)
            self.process = None

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *args: object) -> None:
        self.stop()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return json.load(answer)

    def send(self, path: str, query: dict[str, str], method: str = "POST", **parts: Any) -> Answer:
        """Send a form; a part that is a path is sent as a file, any other as text."""
        border = uuid.uuid4().hex
        body = b""
        for name, value in parts.items():
            head = f'--{border}\r\nContent-Disposition: form-data; name="{name}"'
            if isinstance(value, Path):
                head += f'; filename="{value.name}"\r\nContent-Type: application/octet-stream'
            content = value.read_bytes() if isinstance(value, Path) else str(value).encode()
            body += f"{head}\r\n\r\n".encode() + content + b"\r\n"
        body += f"--{border}--\r\n".encode()
        return self._ask(path, query, method, f"multipart/form-data; boundary={border}", body)

    def post(self, path: str, query: dict[str, str], **settings: Any) -> Answer:
        """Send settings as JSON."""
        return self._ask(path, query, "POST", "application/json", json.dumps(settings).encode())

    def _ask(self, path: str, query: dict[str, str], method: str, kind: str, body: bytes) -> Answer:
        address = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(address, data=body, method=method, headers={"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=900) as answer:
                return Answer(answer.status, answer.headers.get_content_type(), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers.get_content_type(), error.read())

    def infer(self, model: str, image: str, output: str = "image", **params: Any) -> Answer:
        """Ask a model about an image, which is named without its suffix."""
        query = {"image": image.rsplit(".", 1)[0], "output": output}
        return self.send(f"/infer/{model}", query, params=json.dumps(params))
