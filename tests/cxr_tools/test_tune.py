from __future__ import annotations

import pytest

from cxr_common.findings import BoxThresholds, Thresholds, save_thresholds
from cxr_tools import tune
from tests.golden import REPOSITORY

OXNET = REPOSITORY / "bundles" / "cxr_oxnet_detection"


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Commands that would be started; instead of a start, thresholds are written."""
    calls = []

    def show(command):
        calls.append(command)
        output = tmp_path / "tuned"
        output.mkdir()
        save_thresholds(BoxThresholds(("a", "b"), {"a": 0.25, "b": 0.5}), output / "thresholds.json")
        return 0

    monkeypatch.setattr(tune, "show_workflow", show)
    return calls


def words_for(folder):
    """A command line for weights in a folder."""
    (folder / "model.pt").touch()
    return [str(folder), "-o", str(folder / "tuned"), "--bundle", str(OXNET), "--weights", str(folder / "model.pt")]


def test_each_class_is_shown_before_and_after(started, tmp_path, capsys):
    (tmp_path / "model.pt").touch()
    save_thresholds(BoxThresholds(("a", "b"), {"a": 0.75, "b": 0.4}), tmp_path / "thresholds.json")
    words = [str(tmp_path), "-o", str(tmp_path / "tuned"), "--bundle", str(OXNET), "--recipe", "from_imagenet"]
    assert tune.main([*words, "--weights", str(tmp_path / "model.pt"), "--section", "mine"]) == 0
    [command] = started
    configs = command[command.index("--config_file") + 1].replace(f"{OXNET}/configs/", "")
    assert configs == "['train.yaml','from_imagenet.yaml','evaluate.yaml','tune.yaml']"
    assert command[command.index("--section") + 1] == "mine"
    said = capsys.readouterr().out
    assert "| a | 0.750 -> 0.250 |" in said
    assert "| b | 0.400 -> 0.500 |" in said
    assert "-> 0.500: on these images the network does not find this class" in said
    assert str(tmp_path / "tuned" / "thresholds.json") in said


def test_thresholds_that_an_option_names_are_those_before(started, tmp_path, capsys):
    save_thresholds(BoxThresholds(("a", "b"), {"a": 0.75, "b": 0.5}), tmp_path / "older.json")
    words = words_for(tmp_path)
    assert tune.main([*words, "--thresholds#path", str(tmp_path / "older.json")]) == 0
    assert "| a | 0.750 -> 0.250 |" in capsys.readouterr().out


@pytest.mark.parametrize("option", [[], ["--thresholds", '$cxr_common.findings.BoxThresholds.default(["a", "b"])']])
def test_weights_without_thresholds_are_tuned_too(started, tmp_path, capsys, option):
    assert tune.main([*words_for(tmp_path), *option]) == 0
    assert "| a | 0.250 |" in capsys.readouterr().out


def test_a_bundle_that_only_trains_its_thresholds_says_so(tmp_path, capsys):
    assert tune.main([str(tmp_path), "-o", str(tmp_path / "out"), "--bundle", "cxr_irn_refinement"]) == 1
    assert "error: cxr_irn_refinement: has thresholds that only a training tunes" in capsys.readouterr().err


def test_masks_and_decisions_have_a_column_each():
    before = Thresholds(("a",), {"a": 0.5}, {"a": 0.4})
    shown = tune.changes(before, Thresholds(("a",), {"a": 0.6}, {"a": 0.4}))
    assert "| class | decision | mask |" in shown
    assert "| a | 0.500 -> 0.600 | 0.400 |" in shown
