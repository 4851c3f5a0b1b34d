"""The notebook docs/tour.ipynb: committed without outputs, and it runs from its first cell to its last."""

from __future__ import annotations

import base64
import io
import re

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from tests.golden import REPOSITORY

TOUR = REPOSITORY / "docs" / "tour.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(TOUR, as_version=4)


def test_it_is_committed_without_outputs(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_its_links_lead_to_pages(notebook):
    text = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links and all((TOUR.parent / link).is_file() for link in links)


def texts(notebook):
    """What the cells printed or gave, joined."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


@pytest.mark.slow
def test_it_runs(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = texts(notebook)
    assert re.search(r"Effusion\s+0\.\d\d\s+present", said)
    assert "['Cardiomegaly', 'Effusion']" in said
    assert "no_such_file.dcm" in said
    pictures = [
        Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"])))
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 3
    assert all(len(set(picture.convert("L").tobytes())) > 50 for picture in pictures)  # not blank
