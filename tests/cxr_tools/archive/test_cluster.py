"""An archive on a Ray cluster of several nodes on this machine: `make test-ray`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

pytest.importorskip("ray", reason="needs the extra ray: pip install 'cxr-bundles[ray]'")
import pyarrow.parquet as pq

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from tests.cxr_tools.pacs.conftest import orthanc  # noqa: F401 - a fixture
from tests.cxr_tools.pacs.orthanc import free_port, needs_orthanc
from tests.cxr_tools.pacs.test_identity import leaks, plant
from tests.golden import REPOSITORY

pytestmark = pytest.mark.ray
BUNDLE = REPOSITORY / "bundles" / "cxr_multiscale_localization"
COUNT = 24
#: One thread, so that the plain run adds up numbers in the order in which a worker does.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, sys.path))}


def archive(*options):
    command = [sys.executable, "-m", "cxr_tools.archive", "run", "--bundle", str(BUNDLE), *map(str, options)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process, status):
    said = process.communicate(timeout=900)[0]
    assert process.returncode == status, said
    return said


def rows(output):
    return [row for file in output.glob("results/*/*.parquet") for row in pq.ParquetFile(file).read().to_pylist()]


def as_plain(row, labels):
    """A row as findings.json has the image's findings."""
    return [
        {
            "label": label,
            "probability": row["probability"][label],
            "decision": row["decision"][label],
            "point": list(row["peak"][label].values()),
            "boxes": [{"box": list(box.values())[:4], "score": box["score"]} for box in row["boxes"][label]],
        }
        for label in labels
    ]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for number in range(COUNT):
        phantom = make_phantom(20260101, number, PhantomConfig(size=128), ("Effusion",) * (number % 2))
        write_dicom(phantom, folder / f"{number:02d}.dcm")
    (folder / "broken.dcm").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def plain(images, tmp_path_factory):
    """findings.json of the bundle's own workflow."""
    output = tmp_path_factory.mktemp("plain") / "out"
    command = [sys.executable, "-m", "monai.bundle", "run", "--bundle_root", BUNDLE, "--dataset_dir", images]
    command += ["--config_file", BUNDLE / "configs" / "inference.json", "--output_dir", output, "--outputs", "['json']"]
    done = subprocess.run([*map(str, command)], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr  # of the broken file
    return json.loads((output / "findings.json").read_text(encoding="utf-8"))


@contextmanager
def cluster(nodes, **head):
    """A head without processors, and nodes of two."""
    from ray.cluster_utils import Cluster

    found, size = Cluster(), {"object_store_memory": 100 << 20}
    try:
        started(found, num_cpus=0, include_dashboard=False, **size, **head)
        yield found, [started(found, num_cpus=2, **size) for _ in range(nodes)]
    finally:
        found.shutdown()


def started(cluster, **options):
    """A node that is up. Ray gives its helpers 15 seconds, which is too short on a machine that does much else."""
    for _ in range(4):
        try:
            return cluster.add_node(**options)
        except Exception as error:
            reason = error
    raise reason


def wait_for_parts(output, number, process):
    while len(list(output.glob("results/*/*.parquet"))) < number:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def test_a_node_and_then_the_run_are_killed_and_each_image_is_there_once(images, plain, tmp_path):
    output = tmp_path / "out"
    with cluster(nodes=2) as (ray, nodes):
        options = ("--input", images, "--output", output, "--address", ray.address, "--rows", "4")
        first = archive(*options)
        wait_for_parts(output, 1, first)
        ray.remove_node(nodes[0], allow_graceful=False)  # SIGKILL to all of its processes
        wait_for_parts(output, 3, first)  # the other node goes on
        first.send_signal(signal.SIGKILL)
        first.wait()
        kept = {file: file.stat().st_mtime_ns for file in output.glob("results/*/*.parquet")}
        done = rows(output)
        before = len(done)
        assert 3 <= before < COUNT + 1
        said = ended(archive(*options), int(not any(row["error"] for row in done)))  # 1 if the broken image is left
    assert f"{COUNT + 1 - before} image(s) to do, {before} done before" in said
    assert all(file.stat().st_mtime_ns == time for file, time in kept.items())
    found = {row["image"]: row for row in rows(output)}
    assert len(rows(output)) == len(found) == COUNT + 1
    assert found.pop(str(images / "broken.dcm"))["error"] == plain["failures"][0]["reason"]
    for image in plain["images"]:
        row = found[str(images / image["path"])]
        wanted = [{k: v for k, v in finding.items() if k != "threshold"} for finding in image["findings"]]
        assert as_plain(row, plain["model"]["labels"]) == wanted
        assert row["weights_sha256"] == plain["model"]["weights_sha256"]
        assert (row["warnings"], row["view"]) == (image["warnings"], image["view"])


def test_on_this_machine_alone_and_in_batches(images, tmp_path):
    output = tmp_path / "out"
    said = ended(archive("--input", images, "--output", output, "--partition", "date", "--batch_size", "8"), 1)
    assert f"{COUNT + 1} image(s) done, 1 of them with an error" in said
    assert len({row["image"] for row in rows(output)}) == COUNT + 1
    assert {file.parent.name.partition("=")[0] for file in output.glob("results/*/*.parquet")} == {"date"}


def test_by_a_client(images, tmp_path):
    output, port = tmp_path / "out", free_port()
    (tmp_path / "list.txt").write_text("".join(f"{images}/{name}\n" for name in ("01.dcm", "broken.dcm", "03.dcm")))
    with cluster(nodes=1, ray_client_server_port=port):
        address = f"ray://127.0.0.1:{port}"
        said = ended(archive("--input", tmp_path / "list.txt", "--output", output, "--address", address), 1)
    assert "3 image(s) done, 1 of them with an error" in said
    assert sorted(row["image"] for row in rows(output) if row["probability"]) == [f"{images}/0{n}.dcm" for n in (1, 3)]


@needs_orthanc
def test_from_a_pacs_nobody_is_named(orthanc, tmp_path, monkeypatch):  # noqa: F811
    words = plant(tmp_path / "a.dcm") + plant(tmp_path / "b.dcm", view="LL")
    for name in ("a.dcm", "b.dcm"):
        orthanc.put(tmp_path / name)
    output = tmp_path / "out"
    monkeypatch.setitem(ENVIRONMENT, "CXR_PACS_USER", os.environ["CXR_PACS_USER"])
    monkeypatch.setitem(ENVIRONMENT, "CXR_PACS_PASSWORD", os.environ["CXR_PACS_PASSWORD"])
    said = ended(archive("--input", orthanc.url, "--output", output, "--files", "dicom_sr", "--files-of", "all"), 1)
    good, lateral = sorted(rows(output), key=lambda row: row["error"] is not None)
    assert good["instance_uid"] in words and good["probability"] and len(good["files"]) == 1
    assert "view" in lateral["error"] and lateral["study_uid"] in words
    assert not [leak for leak in leaks(output, words, said) if not leak[0].endswith((".parquet", ".dcm"))]
