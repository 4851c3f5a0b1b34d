from __future__ import annotations

from pathlib import Path

import pytest

from cxr_common.errors import InputError
from cxr_common.start.nearest import nearest
from cxr_common.start.overrides import check_overrides
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.convert_published import main as convert
from cxr_tools.demo import main as demo
from cxr_tools.make_phantoms import main as make_phantoms
from cxr_tools.pipeline.__main__ import main as pipeline
from cxr_tools.prepare.__main__ import main as prepare
from cxr_tools.simulate_findings import main as simulate
from tests.golden import REPOSITORY
from tools.bench.__main__ import main as bench
from tools.results.__main__ import main as results


@pytest.mark.parametrize(
    ("main", "arguments", "said"),
    [
        (demo, ["--imges", "x"], "--imges: there is no such option; did you mean --images?"),
        (make_phantoms, ["--output", "x", "--trainig", "3"], "did you mean --training?"),
        (pipeline, ["--datalist", "x", "--output", "y", "--localiser", "pylon"], "did you mean --localizer?"),
        (prepare, ["csv", "--output", "x", "--patient", "3"], "--patient: there is no such option"),
        (prepare, ["merge", "x", "--output", "x", "--no-check-file=3"], "--no-check-file"),
        (simulate, ["--datalist", "x", "--output", "y", "--findings", "Nodul"], "did you mean Nodule?"),
        (results, ["run", "--trainonly"], "did you mean --train-only?"),
        (bench, ["random_walk", "--thread-count", "3"], "--thread-count: there is no such option"),
        (convert, ["pylon", "x", "--output", "y", "--label-list", "z"], "--label-list: there is no such option"),
        (demo, ["--count", "three"], "invalid int value: 'three'"),
    ],
)
def test_an_unknown_option_is_one_line_with_the_nearest(capsys, main, arguments, said):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert said in printed


@pytest.mark.parametrize(
    ("main", "arguments", "said"),
    [
        (demo, ["--output", __file__ + "/x"], "is not a folder"),
        (make_phantoms, ["--output", "x", "--training", "-3"], "is -3; give a whole number, 0 or more\n"),
        (make_phantoms, ["--output", "x", "--testing", "1", "--workers", "0"], "--workers: is 0"),
        (pipeline, ["--datalist", "x", "--output", "y", "--processes", "0"], "--processes: is 0"),
        (results, ["run", "--parallel", "0"], "--parallel: is 0"),
        (prepare, ["csv", "--images", "x", "--output", __file__ + "/x.json"], "is not a folder"),
        (bench, ["random_walk", "--repeats", "0"], "--repeats: is 0"),
    ],
)
def test_values_are_checked_before_anything_is_done(capsys, main, arguments, said):
    assert main(arguments) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert said in printed


def test_an_output_file_is_no_folder(tmp_path):
    parser = ToolParser()
    parser.add_argument("--output", type=Path)
    (tmp_path / "a.json").mkdir()
    with pytest.raises(InputError, match="is a folder; give --output the name of a file"):
        parser.parse_args(["--output", str(tmp_path / "a.json")])
    assert parser.parse_args(["--output", str(tmp_path / "b" / "c.json")]).output.name == "c.json"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("batchsize", "batch_size"),
        ("batch-Size", "batch_size"),
        ("epochs", "max_epochs"),
        ("max_epoch", "max_epochs"),
        ("output", "output_dir"),
        ("xyzzy", None),
    ],
)
def test_the_nearest_name(name, meant):
    assert nearest(name, ["batch_size", "max_epochs", "output_dir", "val_interval", "device"]) == meant


CONFIGS = [REPOSITORY / "bundles" / "cxr_pylon_localization" / "configs" / "train.yaml"]


def test_overrides_that_change_nothing_or_cannot_be():
    check_overrides(CONFIGS, {"max_epochs": 3, "train#dataset#seed": 1, "network_def#pooling": "x", "amp": "$x()"}, "s")
    check_overrides([], {}, "s")
    for override, said in (
        ({"max_epoch": 3}, "s: max_epoch: there is no such entry; did you mean max_epochs"),
        ({"train#seed": 3}, "s: train#seed: there is no such entry"),
        ({"batch_size": 0}, "s: batch_size: is 0; give a whole number"),
    ):
        with pytest.raises(InputError, match=said):
            check_overrides(CONFIGS, override, "s")
