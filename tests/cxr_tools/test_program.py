"""The program cxr: every command has help that needs no torch, and mistakes are one line."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from cxr_tools import program
from cxr_tools.program import COMMANDS, EXTRAS, main
from tests.golden import REPOSITORY

#: Commands whose help a person reads first.
LIGHT = ["find", "train", "evaluate", "report", "get", "bundles", "prepare", "verify", "pack"]
HELP = """
import sys
from cxr_tools.program import main
for words in {words}:
    try:
        main(words)
    except SystemExit as end:
        assert end.code == 0, words
assert not {{"torch", "monai"}} & set(sys.modules), words
"""


def test_help_needs_no_torch():
    words = [[], ["--help"], *([name, "--help"] for name in LIGHT), ["prepare", "csv", "--help"]]
    done = subprocess.run(
        [sys.executable, "-c", HELP.format(words=words)], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage: cxr") == len(words)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_its_own_name(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"usage: cxr {name}" in capsys.readouterr().out.replace("cxr-verify", "cxr verify")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fnd"], "did you mean find?"),
        (["report"], "RESULTS"),
        (["bundles", "--verbos"], "--verbos: there is no such option"),
    ],
)
def test_what_cannot_be_read_is_one_line(words, said, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1
    assert said in printed


def test_a_missing_package_names_its_extra(monkeypatch, capsys):
    def missing(name):
        raise ModuleNotFoundError("No module named 'pynetdicom'", name="pynetdicom")

    monkeypatch.setattr(program, "import_module", missing)
    assert main(["pacs"]) == 1
    assert "pip install 'cxr-bundles[pacs]'" in capsys.readouterr().err


def test_extras_are_those_of_the_distribution():
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    for package, extra in EXTRAS.items():
        assert f"\n{extra} = [" in text, package


def test_bundles_are_listed(capsys):
    assert main(["bundles"]) == 0
    assert "cxr_pylon_localization 0." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "name"), [("cxr fi", None), ("cxr find ", "find"), ("cxr find --bu", "find"), ("cxr x ", None)]
)
def test_a_shell_completes_the_options_of_the_command_that_it_names(line, name, monkeypatch):
    monkeypatch.setenv("_ARGCOMPLETE", "1")
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert program._completed() == name


def test_a_shell_is_given_the_options():
    code = "import os, sys; os.dup2(1, 8); from cxr_tools.program import main; main()"
    line = "cxr find --out"
    given = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "IFS": " "}
    paths = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin", "_ARGCOMPLETE_COMP_WORDBREAKS": " "}
    done = subprocess.run([sys.executable, "-c", code], env=given | paths, capture_output=True, text=True)
    assert {"--output", "--outputs"} <= {word.strip() for word in done.stdout.replace("\v", " ").split()}, done.stderr


def test_modules_are_there():
    for command in COMMANDS.values():
        assert callable(import_module(command.module).main)
