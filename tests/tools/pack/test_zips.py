"""The zips of all bundles, in a Python of metadata's packages alone if PACK_PYTHON names one (`make test-pack`)."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import threading

import pytest
import torch

from tests.bundles.conftest import BUNDLES, LOCALIZERS

pytestmark = pytest.mark.slow

#: Options with which a test can train; what begins with @ is a file of another bundle.
BACKBONE = "@cxr_gradcam_classification/models/phantoms/model.pt"
RECIPES = {
    **dict.fromkeys(LOCALIZERS, {"batch_size": 8, "spatial_size": "[64,64]", "backbone": "resnet18"}),
    "cxr_irn_refinement": {"batch_size": 8, "spatial_size": "[96,96]", "steps": 8, "backbone_weights": BACKBONE},
    "cxr_chexseg_segmentation": {"batch_size": 8, "spatial_size": "[64,64]", "supervision": "expert"},
    "cxr_oxnet_detection": {
        "spatial_size": "[64,64]",
        "width": 16,
        "backbone": "resnet18",
        "backbone_weights": BACKBONE,
    },
}


def files_of(folder, *names):
    return "[" + ",".join(f"'{folder / 'configs' / name}'" for name in names) + "]"


def options(**values):
    return [word for key, value in values.items() for word in (f"--{key}", value)]


@pytest.fixture(scope="module", params=BUNDLES)
def folder(request, unpacked):
    return unpacked / request.param


def run(python, folder, configs, status=0, **values):
    words = ["-m", "monai.bundle", "run", "--config_file", files_of(folder, *configs), "--bundle_root", folder]
    return python(*words, *options(**values), status=status)


#: Packages that only some outputs want; without them an error says which to install.
IMPORTS = """
import importlib, sys
for name in {names}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        assert error.name.split(".")[0] in ("highdicom", "dicomanonymizer"), error
print("cxr_common" in sys.modules)
"""


def test_every_module_can_be_imported(folder, python):
    code = next(folder.glob("*_v*_*/__init__.py")).parent
    names = [
        ".".join((code.name, *path.relative_to(code).with_suffix("").parts)).removesuffix(".__init__")
        for path in sorted(code.rglob("*.py"))
    ]
    assert python("-c", IMPORTS.format(names=names), path=folder).stdout.split()[-1] == "False"


def test_inference_from_another_folder(folder, phantoms, python, tmp_path):
    run(python, folder, ["inference.json"], dataset_dir=phantoms / "images", output_dir=tmp_path / "out")
    record = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))
    assert len(record["images"]) == 32
    assert not record["failures"]


def test_training_resume_and_evaluation_from_another_folder(folder, phantoms, python, tmp_path):
    given = {
        key: folder.parent / value[1:] if str(value).startswith("@") else value
        for key, value in RECIPES[folder.name].items()
    }
    given |= {"dataset_dir": phantoms, "output_dir": tmp_path / "run"}
    run(python, folder, ["train.yaml"], max_epochs=1, **given)
    first = (tmp_path / "run" / "model_last.pt").read_bytes()
    epochs = 1 if folder.name == "cxr_irn_refinement" else 2  # whose schedule depends on their number
    done = run(python, folder, ["train.yaml"], max_epochs=epochs, **given)
    assert "resumed after epoch 1" in done.stdout + done.stderr
    assert ((tmp_path / "run" / "model_last.pt").read_bytes() != first) == (epochs == 2)
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["epoch"] == epochs
    given |= {"output_dir": tmp_path / "scores", "weights": tmp_path / "run" / "model.pt"}
    run(python, folder, ["train.yaml", "evaluate.yaml"], **given)
    report = json.loads((tmp_path / "scores" / "metrics.json").read_text(encoding="utf-8"))
    assert report["versions"]["cxr-bundles"]


@pytest.mark.parametrize("name", ["cxr_irn_refinement", "cxr_chexseg_segmentation", "cxr_oxnet_detection"])
def test_alone_a_recipe_says_in_one_line_what_to_fetch(name, unpacked, phantoms, python, tmp_path):
    alone = tmp_path / "alone" / name
    shutil.copytree(unpacked / name, alone)
    output = {"dataset_dir": phantoms, "output_dir": tmp_path / "run"}
    told = run(python, alone, ["train.yaml", "from_classifier.yaml"], status=1, **output).stderr.splitlines()[-1]
    assert told.startswith("error: ")
    assert "fetch the bundle cxr_gradcam_classification" in told


def test_alone_the_refinement_says_in_one_line_what_to_fetch(unpacked, phantoms, python, tmp_path):
    alone = tmp_path / "alone" / "cxr_irn_refinement"
    shutil.copytree(unpacked / "cxr_irn_refinement", alone)
    output = {"dataset_dir": phantoms / "images", "output_dir": tmp_path / "out"}
    told = run(python, alone, ["inference.json"], status=1, **output)
    assert "fetch the bundle cxr_pylon_localization" in told.stdout + told.stderr


def code_name(bundle):
    """What a packed bundle calls its code."""
    version = json.loads((bundle / "configs" / "metadata.json").read_text(encoding="utf-8"))["version"]
    return f"{bundle.name}_v{version.replace('.', '_')}"


SEVERAL = """
import json, sys
from monai.bundle import ConfigWorkflow
for folder, output in zip({folders}, {outputs}):
    flow = ConfigWorkflow(config_file=folder + "/configs/inference.json", workflow_type="infer", bundle_root=folder,
                          dataset_dir={images!r}, output_dir=output)
    flow.initialize(); flow.run(); flow.finalize()
    print(type(flow.parser.get_parsed_content("network_def")).__module__)
print(sorted(n for n in sys.modules if n.startswith("cxr_") and "." not in n))
"""


def test_several_bundles_and_versions_run_in_one_process_each_on_its_own_code(unpacked, phantoms, python, tmp_path):
    newer = tmp_path / "newer" / "cxr_pylon_localization"
    shutil.copytree(unpacked / "cxr_pylon_localization", newer)
    pylon, oxnet = (code_name(unpacked / name) for name in ("cxr_pylon_localization", "cxr_oxnet_detection"))
    (newer / pylon).rename(newer / "cxr_pylon_localization_v9_9_9")
    for path in newer.rglob("*.*"):
        if path.suffix in (".py", ".json"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(pylon, "cxr_pylon_localization_v9_9_9"), "utf-8")
    folders = [str(unpacked / "cxr_pylon_localization"), str(unpacked / "cxr_oxnet_detection"), str(newer)]
    outputs = [str(tmp_path / str(n)) for n in range(3)]
    images = str(phantoms / "images")
    done = python("-c", SEVERAL.format(folders=folders, outputs=outputs, images=images)).stdout.splitlines()
    codes = [line.split(".")[0] for line in done if ".localization." in line or ".detection." in line]
    assert codes == [pylon, oxnet, "cxr_pylon_localization_v9_9_9"]
    assert "'cxr_common'" not in done[-1]
    one, newest = (json.loads((tmp_path / n / "findings.json").read_text(encoding="utf-8")) for n in ("0", "2"))
    assert one["images"] == newest["images"]


@pytest.fixture(scope="module")
def server(dist):
    """Address of a static server of the zips."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(dist))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as http_server:
        threading.Thread(target=http_server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http_server.server_port}"
        http_server.shutdown()


LOAD = """
import torch
from monai.bundle import load
network = load({name!r}, bundle_dir={bundles!r}, workflow_type="inference", source="github")
state = torch.load({bundles!r} + "/{name}/models/model.pt", weights_only=True)
assert all(torch.equal(value.float(), state[key].float()) for key, value in network.state_dict().items())
print(type(network).__name__)
"""


def test_download_and_load(folder, server, dist, python, tmp_path):
    zipped = next(dist.glob(f"{folder.name}_v*.zip")).name
    python(
        "-m", "monai.bundle", "download", "--name", folder.name, "--url", f"{server}/{zipped}", "--bundle_dir", tmp_path
    )
    assert (tmp_path / folder.name / "configs" / "inference.json").is_file()
    script = LOAD.format(name=folder.name, bundles=str(tmp_path))
    assert python("-c", script, path=tmp_path / folder.name).stdout.split()[-1]


def test_metadata_and_network_are_verified_offline(folder, python):
    meta, config = folder / "configs" / "metadata.json", folder / "configs" / "inference.json"
    schema = folder / "docs" / "meta_schema_20240725.json"
    python("-m", "monai.bundle", "verify_metadata", "--meta_file", meta, "--filepath", schema)
    words = ["verify_net_in_out", "network_def", "--meta_file", meta, "--config_file", config, "--bundle_root", folder]
    python("-m", "monai.bundle", *words, path=folder)


WORKFLOWS = """
import json, sys
import torch
from monai.bundle import create_workflow
for kind, files, options in {combinations}:
    if "multi_gpu_train.yaml" in files[-1]:
        torch.distributed.init_process_group("gloo", init_method="file://{group}", rank=0, world_size=1)
    flow = create_workflow(config_file=files, workflow_type=kind, bundle_root={root!r}, dataset_dir={data!r},
                           output_dir={output!r}, meta_file={root!r} + "/configs/metadata.json", **options)
    missing = flow.check_properties()
    assert missing == [], (files, missing)
    print("checked", [file.rpartition("/")[2] for file in files])
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
"""


def test_properties_of_every_combination_of_configs(folder, phantoms, python, tmp_path):
    configs = folder / "configs"
    others = ("train.yaml", "evaluate.yaml", "tune.yaml")
    overlays = sorted(p.name for p in configs.glob("*.yaml") if p.name not in others)
    overlays = [name for name in overlays if "voc" not in name]  # which take photographs
    combinations = [("infer", ["inference.json"])]
    for laid in [(), *((name,) for name in overlays)]:
        combinations += [("train", ["train.yaml", *laid]), ("train", ["train.yaml", *laid, "evaluate.yaml"])]
    if (configs / "tune.yaml").exists():
        combinations.append(("train", ["train.yaml", "evaluate.yaml", "tune.yaml"]))
    shipped = json.loads((configs / "inference.json").read_text(encoding="utf-8"))
    teacher = {"teacher_weights": str(folder / "models" / "model.pt"), "backbone": shipped.get("backbone")}
    masks = {"supervision": "expert"} if folder.name == "cxr_chexseg_segmentation" else {}  # phantoms have no others

    def options(kind, names):
        return (masks if kind == "train" else {}) | (teacher if "distillation.yaml" in names else {})

    given = [
        (kind, [str(configs / name) for name in names], options(kind, names))
        for kind, names in combinations
        if not {"multi_gpu_train.yaml", "evaluate.yaml"} <= set(names)
    ]
    known = {"root": str(folder), "data": str(phantoms), "output": str(tmp_path / "out"), "group": tmp_path / "group"}
    done = python("-c", WORKFLOWS.format(combinations=given, **known), path=folder)
    assert done.stdout.count("checked") == len(given)
