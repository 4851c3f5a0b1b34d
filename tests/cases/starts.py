"""Rows D, E2, E3, F and G: state, starts that cannot work, labels, class names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from tests.cases.product import findings, infer, train
from tests.cases.table import TWIN, Run, case

CLASSES = ["胸水", "気胸"]


def data_set(
    folder: Path, images: int = 12, labels: Any = None, validation: Any = None, classes: Any = CLASSES
) -> Path:
    """A folder of noise with a datalist; `labels` and `validation` are what all items of a section say, or by turns."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    sections: dict[str, Any] = {"labels": list(classes), "training": [], "validation": [], "testing": []}
    for section, count, given in (("training", images, labels), ("validation", 4, validation)):
        for index in range(count):
            name = f"{section}{index}.png"
            Image.fromarray(rng.integers(0, 255, (64, 64), "uint8")).save(folder / name)
            label = [index % 2, 1 - index % 2] if given is None else given
            sections[section].append({"image": name, "patient": f"{section}{index}", "label": label})
    (folder / "datalist.json").write_text(json.dumps(sections), encoding="utf-8")
    return folder


def trained(run: Run) -> tuple[Path, Path]:
    """A data set and the folder of a training on it, made by the first row that asks."""
    data, output = run.folder / "data", run.folder / "run"
    if not output.exists():
        train(run.product, data_set(data), output).works()
    return data, output


@case("D1", "a workflow that runs twice does each image once")
def twice(run: Run) -> None:
    from monai.bundle import ConfigWorkflow  # there is no command for it

    from tests.cases.product import BUNDLE

    output = run.folder / "twice"
    flow = ConfigWorkflow(
        config_file=str(BUNDLE / "configs" / "inference.json"),
        meta_file=str(BUNDLE / "configs" / "metadata.json"),
        logging_file=False,
        bundle_root=str(BUNDLE),
        dataset_dir=str(run.inputs / TWIN),
        output_dir=str(output),
    )
    flow.initialize()
    for _ in range(2):
        flow.run()
    assert len(findings(output)["images"]) == 1


@case("G1", "classes of any script: train, infer, files named apart")
def scripts(run: Run) -> None:
    _, output = trained(run)
    options = {"weights": str(output / "model.pt"), "network_def::num_classes": 2, "backbone": "resnet18"}
    infer(run.product, str(run.inputs / TWIN), str(run.folder / "scripts"), run.folder, **options).works()
    image = findings(run.folder / "scripts")["images"][0]
    assert [finding["label"] for finding in image["findings"]] == CLASSES
    masks = image["files"]["masks"]
    assert len(set(masks.values())) == len(masks)


@case("D2", "classes that changed places: the training is refused")
def swapped(run: Run) -> None:
    data, output = trained(run)
    before = (output / "thresholds.json").read_text(encoding="utf-8")
    content = json.loads((data / "datalist.json").read_text(encoding="utf-8"))
    content["labels"].reverse()
    changed = data / "swapped.json"
    changed.write_text(json.dumps(content), encoding="utf-8")
    train(run.product, data, output, datalist=str(changed)).refuses("classes were", "choose another output_dir")
    assert (output / "thresholds.json").read_text(encoding="utf-8") == before


@case("D3", "more epochs, another batch size: goes on, or one line")
def resumed(run: Run) -> None:
    data, output = trained(run)
    train(run.product, data, output, batch_size=6).refuses("batch_size was 4 and is 6")
    train(run.product, data, output, max_epochs=2).works()
    assert torch.load(output / "checkpoint.pt", weights_only=True)["epoch"] == 2
    cycle = run.folder / "cycle"
    # A one-cycle schedule of four steps divides by zero.
    train(run.product, data, cycle, "from_scratch.yaml").refuses("OneCycleLR: ZeroDivisionError")
    train(run.product, data, cycle, "from_scratch.yaml", batch_size=6).works()
    said = train(run.product, data, cycle, "from_scratch.yaml", batch_size=6, max_epochs=2)
    said.refuses("max_epochs was 1 and is 2")


@case("E2", "a start that cannot work is one line before any image is done")
def starts(run: Run) -> None:
    taken, module, script = run.folder / "a_file", run.folder / "module.pt", run.folder / "script.pt"
    taken.write_text("")
    torch.save(nn.Linear(2, 2), module)
    torch.jit.script(nn.Linear(2, 2)).save(str(script))
    options: list[tuple[dict[str, Any], str]] = [
        ({"device": "cuda:77"}, "--device cuda:77: cannot be used"),
        ({"weights": str(module)}, "holds a pickled object"),
        ({"weights": str(script)}, "TorchScript"),
        ({"batchsize": 4}, "did you mean --batch_size?"),
        ({"weights": "@nothing"}, "nothing"),
        ({"device": "$torch.device('cu"}, "SyntaxError"),
    ]
    for given, said in options:
        infer(run.product, str(run.inputs / TWIN), str(run.folder / "none"), run.folder, **given).refuses(said)
        assert not (run.folder / "none").exists()
    infer(run.product, str(run.inputs / TWIN), str(taken), run.folder).refuses("is not a folder")
    setting = 'x={a: "\\d"}'
    table = run.folder / "table.csv"
    table.write_text("file\na.png\n")
    arguments = ("csv", "--root", str(run.folder), "--images", table.name, "--output", str(run.folder / "o.json"))
    run.product.tool("cxr_tools.prepare.__main__", *arguments, "--set", setting).refuses("\\d")


@case("E3", "one image, batches of one, several processes: reason and remedy")
def batches(run: Run) -> None:
    output = run.folder / "small"
    train(run.product, data_set(run.folder / "one", 1), output).refuses("1 training image")
    train(run.product, trained(run)[0], output, batch_size=1).refuses("batch")
    several = train(run.product, data_set(run.folder / "ten", 10), output, processes=2)
    # The launcher adds a traceback of its own.
    assert several.status == 0 or "10 training images in 2 processes" in several.error, several


@case("E4", "several processes without torchrun, or two trainings in a folder: one line")
def processes(run: Run) -> None:
    train(run.product, trained(run)[0], run.folder / "alone", "multi_gpu_train.yaml").refuses("torchrun")


@case("F1", "nothing annotated is no success")
def nothing_annotated(run: Run) -> None:
    for name, options in (
        ("null", {"labels": [None, None]}),
        ("uncertain", {"labels": [-1, -1]}),
        ("unchosen", {"validation": [None, None]}),
    ):
        said = train(run.product, data_set(run.folder / name, **options), run.folder / f"{name}_run")
        said.refuses("validation" if name == "unchosen" else "training")
        assert not (run.folder / f"{name}_run").exists()
