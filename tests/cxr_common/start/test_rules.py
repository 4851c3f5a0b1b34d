from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cxr_common.errors import InputError
from cxr_common.start.rules import (
    PATH,
    SWITCH,
    check_device,
    check_output_folder,
    either,
    file_check,
    folder_check,
    nothing_or,
    number,
    one_of,
    several,
    whole,
)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (whole(1), [1, 7], [0, -1, 2.5, "4", None, True, float("nan")]),
        (number(0, 1), [0, 1, 0.5], [-0.1, 1.1, "0.5", None, float("inf"), float("nan"), True]),
        (number(0, above=True), [1e-9, 3], [0, -1, "1e-4"]),
        (SWITCH, [True, False, 0, 1], ["false", "True", None, 2]),
        (one_of("a", "b"), ["a"], ["c", None, 0]),
        (several(whole(1), 2), [[1, 2], (3, 4)], [[1], [1, 2, 3], 64, "64", [0, 1], None, ["1", "2"]]),
        (several(whole(1)), [[1], [1, 2, 3]], [[], 1, [0]]),
        (either(number(), several(number())), [0.5, [1, 2]], ["x", None, [None]]),
        (nothing_or(whole(1)), [None, 1], [0]),
        (PATH, ["a", Path("/b c"), "ü", 20260504], [None, True, "", "a\0b", ["a"], "x" * 256, "ab/" * 2000]),
        (whole(0, 3), [0, 3], [-1, 4, 10**6]),
    ],
)
def test_a_rule_takes_what_it_says(rule, good, bad):
    for value in good:
        rule.check("option", value)
    for value in bad:
        with pytest.raises(InputError, match=r"^--option: is .*; give "):
            rule.check("option", value)


def test_bounds_are_said():
    assert number(0, 1).wanted.startswith("a number, 0 or more and 1 or less")
    assert number(0, above=True).wanted.startswith("a number above 0")


@pytest.mark.parametrize("device", ["meta", "gpu", "cuda:99", 99, "mps:7"])
def test_a_device_that_cannot_compute_is_refused(device):
    with pytest.raises(InputError, match=r"--device .*cannot be used .*use cpu"):
        check_device(device)


def test_a_device_that_can_compute_passes():
    check_device("cpu")
    check_device(torch.device("cpu"))


def test_an_output_folder_is_one_or_can_be_made(tmp_path):
    check_output_folder(tmp_path)
    check_output_folder(tmp_path / "new" / "deep")
    check_output_folder(20260504)
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, file / "below"):
        with pytest.raises(InputError, match="is not a folder; choose another output_dir"):
            check_output_folder(path)


def test_files_and_folders_that_are_not_there(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    file_check("weights")(file)
    file_check("weights")(None)
    folder_check("heatmap_dir")(tmp_path)
    for check, path, reason in (
        (file_check("w"), tmp_path, "is a folder"),
        (file_check("w"), tmp_path / "no", "there is no such file"),
        (file_check("w", required=True), None, "is needed"),
        (folder_check("w"), file, "is a file"),
        (folder_check("w"), tmp_path / "no", "there is no such folder"),
    ):
        with pytest.raises(InputError, match=reason):
            check(path)


def test_a_file_of_another_bundle_is_to_be_fetched(tmp_path):
    path = tmp_path / "cxr_a" / ".." / "cxr_b" / "models" / "model.pt"
    with pytest.raises(
        InputError, match="fetch the bundle cxr_b and put its folder beside this one's, or give --weights"
    ):
        file_check("weights")(path)
    with pytest.raises(InputError) as caught:
        file_check("weights")(tmp_path / "model.pt")
    assert "fetch" not in str(caught.value)


def test_what_yaml_has_for_nothing_is_told_how_a_command_line_says_it():
    with pytest.raises(InputError, match=r"is 'null'; give .*; or None \(in YAML null\)"):
        nothing_or(whole(1)).check("option", "null")
    for check, kind in ((file_check, "file"), (folder_check, "folder")):
        with pytest.raises(InputError, match=f"^null: there is no such {kind}; .*the path of a {kind}, or None$"):
            check("option")("null")
