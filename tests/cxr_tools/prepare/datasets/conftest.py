import json

import numpy as np
import pytest
from PIL import Image

from cxr_tools.prepare.__main__ import main


@pytest.fixture
def picture(tmp_path):
    """Write a small grey image below the root."""

    def write(path, size=(8, 6), mode="L"):
        file = tmp_path / "root" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        values = np.arange(size[0] * size[1], dtype=np.uint16 if mode == "I;16" else np.uint8)
        Image.fromarray(values.reshape(size[1], size[0])).save(file)
        return file

    return write


@pytest.fixture
def table(tmp_path):
    """Write a text file below the root."""

    def write(path, text, encoding="utf-8"):
        file = tmp_path / "root" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode(encoding))
        return file

    return write


@pytest.fixture
def prepare(tmp_path, capsys):
    """Run a data set's command on the root; gives (datalist or None, what it printed, its error line)."""

    def run(name, *options, root=None):
        output = tmp_path / "out" / "datalist.json"
        status = main([name, "--root", str(root or tmp_path / "root"), "--output", str(output), *options])
        printed = capsys.readouterr()
        if status:
            assert len(printed.err.strip().splitlines()) == 1, printed.err
            return None, printed.out, printed.err.strip()
        return json.loads(output.read_text(encoding="utf-8")), printed.out, ""

    return run
