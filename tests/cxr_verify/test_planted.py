"""Every planted defect is found by its check and by no other. What is read only; test_executed.py has the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cxr_verify.options import Options
from cxr_verify.outcome import Status
from cxr_verify.runner import verify
from cxr_verify.source import open_bundle
from tests.cxr_verify import shapes
from tests.cxr_verify.shapes import add_command, edit_json

FAIL, WARNING = Status.FAIL, Status.WARNING
INFERENCE, TRAIN, METADATA = "configs/inference.json", "configs/train.json", "configs/metadata.json"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return shapes.spleen(tmp_path_factory.mktemp("good"))


@pytest.fixture
def bundle(good, tmp_path):
    """A good bundle of its own for each test."""
    return Path(shutil.copytree(good, tmp_path / good.name))


def edit(name, **values):
    """A defect: some keys of a JSON file get other values, None takes one away."""

    def change(content):
        content.update(values)
        for key in [k for k, v in values.items() if v is None]:
            del content[key]

    return lambda root: edit_json(root / name, change)


def edit_in(name, path, value):
    """A defect: the item of a path of keys gets another value."""

    def change(content):
        *parents, last = path
        for key in parents:
            content = content[key]
        content[last] = value

    return lambda root: edit_json(root / name, change)


def text(name, content):
    """A defect: a file holds this."""

    def plant(root):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(content)

    return plant


def large_files(**entry):
    """A defect: a large_files.json whose one entry is this."""
    return text("large_files.json", json.dumps({"large_files": [{"path": "models/model.ts"} | entry]}))


URL = "https://example.org/model.ts"
FRONT = "---\nlicense: mit\nlibrary_name: monai\n{}\n---\n# Spleen\n"
OUTPUT = ["network_data_format", "outputs", "pred"]
DEFECTS = {
    "no licence": ("files.licence", FAIL, lambda root: (root / "LICENSE").unlink()),
    "licence of nothing": ("files.licence", FAIL, text("LICENSE", "to do")),
    "no data licence": ("files.data_licence", WARNING, lambda root: (root / "docs/data_license.txt").unlink()),
    "empty card": ("files.readme", FAIL, text("docs/README.md", " \n")),
    "no weights": ("files.weights", FAIL, lambda root: (root / "models/model.pt").unlink()),
    "weights with another name": (
        "files.weights",
        WARNING,
        lambda root: (root / "models/model.pt").rename(root / "models/best.pt"),
    ),
    "large file outside": ("files.large_files", FAIL, large_files(path="../x.pt", url=URL)),
    "large file without address": (
        "files.large_files",
        FAIL,
        large_files(url="model.ts", hash_val="0" * 32, hash_type="md5"),
    ),
    "large file with half a hash": (
        "files.large_files",
        FAIL,
        large_files(url=URL, hash_val="0" * 31, hash_type="md5"),
    ),
    "another large file": (
        "files.large_files",
        FAIL,
        large_files(path="models/model.pt", url=URL, hash_val="0" * 32, hash_type="md5"),
    ),
    "link out of the bundle": ("files.leftovers", FAIL, lambda root: (root / "docs/x").symlink_to("/etc/hostname")),
    "leftovers": ("files.leftovers", WARNING, text("__pycache__/a.pyc", "")),
    "metadata that is no JSON": ("metadata.readable", FAIL, text(METADATA, '{"version": "0.1.0",')),
    "metadata with a key twice": (
        "metadata.readable",
        FAIL,
        text(METADATA, '{"version": "1.0.0", "version": "1.0.0"}'),
    ),
    "no authors": ("metadata.schema", FAIL, edit(METADATA, authors=None)),
    "channels as text": ("metadata.schema", FAIL, edit_in(METADATA, [*OUTPUT, "num_channels"], "two")),
    "no changelog": ("metadata.version", FAIL, edit(METADATA, changelog=None)),
    "version without a line": ("metadata.version", FAIL, edit(METADATA, version="0.2.0")),
    "version behind its changelog": ("metadata.version", FAIL, edit(METADATA, version="0.1.0")),
    "version that is none": ("metadata.version", FAIL, edit(METADATA, version="new")),
    "package with a range": ("metadata.packages", FAIL, edit(METADATA, optional_packages_version={"nibabel": ">=5"})),
    "package without a name": (
        "metadata.imports",
        WARNING,
        edit(INFERENCE, imports=["$import glob", "$import skimage"]),
    ),
    "channel without a name": ("metadata.tensors", FAIL, edit_in(METADATA, [*OUTPUT, "channel_def"], {"0": "spleen"})),
    "config that is no JSON": ("configs.readable", FAIL, text(TRAIN, "{")),
    "config with a key twice": ("configs.readable", FAIL, text("configs/train_long.yaml", "a: 1\na: 2\n")),
    "expression that is not Python": ("configs.expressions", FAIL, edit(INFERENCE, output_ext="$'.nii' +")),
    "import for imports": ("configs.keys", FAIL, edit(INFERENCE, **{"import": ["$import glob"]})),
    "reference to nothing": (
        "configs.references",
        FAIL,
        edit(TRAIN, loss={"_target_": "DiceLoss", "weight": "@wieght"}),
    ),
    "overlay on nothing": ("configs.references", FAIL, edit("configs/evaluate.json", **{"val_interval#a": 1})),
    "evaluation that trains": (
        "configs.evaluate_ids",
        FAIL,
        edit("configs/evaluate.json", run=["$@train#trainer.run()"]),
    ),
    "home folder": ("paths.machine", FAIL, edit(INFERENCE, dataset_dir="/home/ann/spleen")),
    "home folder in an expression": ("paths.machine", FAIL, edit(INFERENCE, datalist="$glob.glob('/Users/ann/*')")),
    "another machine's disk": ("paths.machine", WARNING, edit(INFERENCE, dataset_dir="/datasets/spleen")),
    "path from the working directory": (
        "paths.relative",
        FAIL,
        edit_in(INFERENCE, ["checkpointloader", "load_path"], "models/model.pt"),
    ),
    "pickle in a module": (
        "safety.unpickling",
        FAIL,
        text("scripts/a.py", "import pickle\n\n\ndef f(x):\n    pickle.loads(x)\n"),
    ),
    "loose torch.load": ("safety.unpickling", FAIL, edit(INFERENCE, old="$torch.load('x', weights_only=False)")),
    "download at import": (
        "safety.downloads",
        FAIL,
        text("scripts/a.py", "from torch import hub\nhub.load('a', 'b')\n"),
    ),
    "download in a function": (
        "safety.downloads",
        WARNING,
        text("scripts/a.py", "def f():\n    import urllib.request as r\n    r.urlopen('x')\n"),
    ),
    "download in a config": ("safety.downloads", FAIL, edit(INFERENCE, got="$monai.apps.download_url('u', 'f')")),
    "pretrained in inference": (
        "safety.downloads",
        FAIL,
        edit(INFERENCE, spare={"_target_": "FlexibleUNet", "pretrained": True}),
    ),
    "a shell": ("safety.commands", FAIL, edit(INFERENCE, done="$os.system('ls')")),
    "command of a config that is missing": (
        "readme.commands",
        FAIL,
        lambda root: add_command(root, "configs/infer.json"),
    ),
    "command with an unknown option": (
        "readme.commands",
        FAIL,
        lambda root: add_command(root, "configs/inference.json --max_epochs 3"),
    ),
    "link to nothing": ("readme.links", FAIL, text("docs/README.md", "![curve](curve.png)\n")),
    "link out": ("readme.links", WARNING, text("docs/README.md", "[more](../../docs/more.md)\n")),
    "dead link of the repository's card": ("readme.links", FAIL, text("README.md", FRONT.format("") + "[a](b.md)")),
    "card without front matter": ("hub.card", WARNING, text("README.md", "# Spleen\n")),
    "card with a tag that is none": ("hub.card", FAIL, text("README.md", FRONT.format("tags: [1]"))),
    "card with a figure of nothing": (
        "hub.card",
        FAIL,
        text("README.md", FRONT.format("model-index: [{name: a, results: [{task: {type: b}, metrics: []}]}]")),
    ),
    "scripts before run": ("running.foreign_directory", FAIL, lambda root: scripts_first(root)),
    "another task in the name": (
        "label.name",
        WARNING,
        lambda root: root.rename(root.parent / "spleen_classification"),
    ),
    "label config with metadata": ("label.config", WARNING, edit(INFERENCE, version="$@_meta_#version")),
}


def scripts_first(root):
    (root / "scripts").mkdir()
    (root / "scripts/losses.py").write_text("")
    edit_json(root / INFERENCE, lambda content: content["imports"].append("$from scripts import losses"))


def told(path, **options):
    """Status by check of what is not good, in a run that executes nothing and starts no process."""
    skip = ("weights", "configs.infer_ids", "configs.train_ids")
    with open_bundle(path) as opened:
        results = list(verify(opened, Options(static=True, skip=skip, **options)))
    bad = (Status.WARNING, Status.FAIL, Status.ERROR)
    for result in results:
        assert all(p.why and p.mend for p in result.problems)
    return {r.check: r.status for r in results if r.status in bad}


def test_the_good_one_is_good(bundle):
    assert told(bundle) == {}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_by_its_check_alone(bundle, defect):
    check, status, plant = DEFECTS[defect]
    plant(bundle)
    path = next(p for p in bundle.parent.iterdir() if p.is_dir())
    assert told(path) == {check: status}


@pytest.mark.parametrize(
    ("plant", "check"),
    [
        (text("scripts/net.py", ""), "pure.no_code"),
        (edit(INFERENCE, inferer={"_target_": "mine.Inferer"}), "pure.targets"),
        (edit(INFERENCE, inferer={"_target_": "$type('a', (), {})"}), "pure.targets"),
        (edit(INFERENCE, got="$open('x').read()"), "pure.expressions"),
        (edit(INFERENCE, got="$().__class__"), "pure.expressions"),
        (edit(INFERENCE, got="$getattr(torch, 'load')"), "pure.expressions"),
    ],
)
def test_the_strict_grammar(bundle, plant, check):
    assert told(bundle, pure=True) == {}
    plant(bundle)
    found = told(bundle, pure=True)
    assert found.pop("metadata.imports", WARNING) is WARNING
    assert check in found
    assert set(found) <= {check, "pure.expressions"}


def test_a_call_can_be_allowed(bundle):
    edit(INFERENCE, got="$math.sqrt(4)")(bundle)
    assert told(bundle, pure=True) == {"pure.expressions": FAIL}
    assert told(bundle, pure=True, allowed=frozenset({"math.sqrt"})) == {}


def test_released_content_is_known_by_its_hash(bundle, tmp_path):
    from cxr_verify.content import record

    index = tmp_path / "released.json"
    with open_bundle(bundle) as opened:
        record(opened, index)
    assert told(bundle, released=index) == {}
    (bundle / "docs/README.md").write_text("# Another\n")
    assert told(bundle, released=index) == {"metadata.released": FAIL}
    edit(METADATA, version="0.1.2", changelog={"0.1.2": "another card"})(bundle)
    assert told(bundle, released=index) == {}


def test_a_model_entry_of_hugging_face(tmp_path):
    root = tmp_path / "spleen_hf"
    root.mkdir()
    metadata = shapes.make_metadata("Spleen", 1, 2, [32], ["a", "b"])
    metadata |= {"required_packages_version": {}, "huggingface_url": "https://huggingface.co/MONAI/spleen"}
    del metadata["network_data_format"]
    shapes.write_json(root / "metadata.json", metadata)
    (root / "LICENSE").write_text("MIT License")
    (root / "README.md").write_text("# Spleen")
    assert told(root) == {}
    edit("metadata.json", huggingface_url="huggingface.co/spleen")(root)
    assert told(root) == {"hub.metadata": FAIL}
    (root / "README.md").unlink()
    assert told(root) == {"hub.metadata": FAIL, "files.readme": FAIL}
