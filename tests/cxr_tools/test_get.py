"""Bundles from a server on loopback: whole and with the right hash, or not at all."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import zipfile

import pytest

from cxr_common.errors import InputError
from cxr_common.loading import find_bundle
from cxr_common.loading.locate import VARIABLE, get_bundle
from cxr_tools.get import find_entry
from cxr_tools.program import main


def zip_of(name, version):
    def write(path):
        with zipfile.ZipFile(path, "w") as content:
            content.writestr(f"{name}/configs/inference.json", "{}")
            content.writestr(f"{name}/configs/metadata.json", json.dumps({"version": version}))
        return hashlib.sha256(path.read_bytes()).hexdigest()

    return write


@pytest.fixture
def host(tmp_path, monkeypatch):
    """Folder of a server, its address, and the cache that is filled."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(VARIABLE, raising=False)
    folder, cache = tmp_path / "host", tmp_path / "cache" / "cxr-bundles"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        asked: list[str] = []

        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def do_GET(self):
            self.asked.append(self.path)
            if not self.path.startswith("/half"):
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}", cache, Handler.asked
        server.shutdown()


def test_a_bundle_is_fetched_once_and_then_has_a_name(host, capsys):
    folder, url, cache, asked = host
    sha256 = zip_of("mine", "1.0.0")(folder / "a.zip")
    assert main(["get", f"{url}/a.zip", "--sha256", sha256.upper()]) == 0
    assert find_bundle("mine").is_relative_to(cache)
    assert capsys.readouterr().out.strip() == str(find_bundle("mine"))
    assert find_bundle(f"{url}/a.zip#sha256={sha256}") == find_bundle("mine")
    assert asked == ["/a.zip"]
    assert len([*cache.iterdir()]) == 1


def test_of_two_versions_the_name_finds_the_one_that_was_asked_for_last(host):
    folder, url, _, _ = host
    old, new = zip_of("mine", "1")(folder / "a.zip"), zip_of("mine", "2")(folder / "b.zip")
    first, second = get_bundle(f"{url}/a.zip", old), get_bundle(f"{url}/b.zip", new)
    assert find_bundle("mine") == second
    get_bundle(f"{url}/a.zip", old)
    assert find_bundle("mine") == first


@pytest.mark.parametrize(
    ("path", "sha256", "said"),
    [
        ("a.zip", "0" * 64, "has another SHA-256"),
        ("half.zip", "0" * 64, "was cut off: 4 of 1000 bytes came"),
        ("none.zip", "0" * 64, "cannot be fetched (HTTP Error 404"),
        ("a.zip", "", "comes without its SHA-256"),
        ("a.zip", "12", "comes with '12', which is no SHA-256"),
        ("bad.zip", None, "cannot be unpacked"),
        ("other.zip", None, "holds no bundle"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(host, path, sha256, said, capsys):
    folder, url, cache, _ = host
    zip_of("mine", "1")(folder / "a.zip")
    (folder / "bad.zip").write_bytes(b"PK cut")
    with zipfile.ZipFile(folder / "other.zip", "w") as content:
        content.writestr("readme.txt", "nothing")
    sha256 = hashlib.sha256((folder / path).read_bytes()).hexdigest() if sha256 is None else sha256
    assert main(["get", f"{url}/{path}", "--sha256", sha256]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {url}/{path}: ") and printed.count("\n") == 1
    assert said in printed
    assert not cache.exists() or not [*cache.iterdir()]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/a.zip"])
def test_other_kinds_of_addresses_are_refused(host, url):
    with pytest.raises(InputError, match="not an http or https address"):
        get_bundle(url, "0" * 64)


def test_by_name_from_an_index_on_the_server_and_from_a_file(host, monkeypatch, capsys):
    folder, url, cache, _ = host
    index = {"mine_v1.0.0": {"source": "a.zip", "sha256": zip_of("mine", "1.0.0")(folder / "a.zip")}}
    (folder / "model_info.json").write_text(json.dumps(index))
    assert main(["get", "mine", "--index", f"{url}/model_info.json"]) == 0
    assert find_bundle("mine").is_relative_to(cache)
    assert main(["get", "mine_v1.0.0", "--index", str(folder / "model_info.json")]) == 0
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    assert main(["get", "mine", "--index", "../model_info.json"]) == 0
    (folder / "a.zip").write_bytes(b"other")
    assert main(["get", "mine", "--index", str(folder / "model_info.json")]) == 1
    assert "has another SHA-256" in capsys.readouterr().err
    assert main(["get", "mine"]) == 1
    assert "no index is given" in capsys.readouterr().err


def test_an_index_that_is_none_and_a_zip_that_is_here(host, capsys):
    folder, url, _, _ = host
    zip_of("mine", "1")(folder / "a.zip")
    assert main(["get", "mine", "--index", f"{url}/a.zip"]) == 1
    assert f"error: {url}/a.zip: is not JSON" in capsys.readouterr().err
    assert main(["get", str(folder / "a.zip")]) == 1
    assert f"lies on this machine already; use it as it is: --bundle {folder / 'a.zip'}" in capsys.readouterr().err


def test_the_newest_version_of_an_index():
    index = {f"a_v{v}": {"source": f"https://h/{v}.zip", "sha256": "0"} for v in ("0.9.0", "0.10.0", "0.2.0")}
    assert find_entry(index, "a", "i.json") == ("https://h/0.10.0.zip", "0")
    assert find_entry(index, "a_v0.2.0", "i.json") == ("https://h/0.2.0.zip", "0")
    with pytest.raises(InputError, match="did you mean cxr_one"):
        find_entry({"cxr_one_v1": {}}, "cxr_one_", "i.json")
    with pytest.raises(InputError, match="no source or no sha256"):
        find_entry({"a_v1": {"checksum": "1", "source": "x"}}, "a", "i.json")
