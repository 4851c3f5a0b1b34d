"""The card: its commands and links."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..bundle import Bundle
from ..config_files import ConfigError, has
from ..options import Options
from ..outcome import Problem, Skip, warning
from ..readme import Command
from ..registry import check

_EXPORT = "net_id filepath ckpt_file meta_file config_file key_in_ckpt use_trace input_shape args_file converter_kwargs"
_ACTIONS = {
    "run": "run_id init_id final_id meta_file config_file logging_file tracking args_file",
    "run_workflow": "workflow_name args_file",
    "ckpt_export": _EXPORT,
    "onnx_export": _EXPORT,
    "trt_export": f"{_EXPORT} precision dynamic_batchsize device use_onnx onnx_input_names onnx_output_names",
    "verify_metadata": "meta_file filepath create_dir hash_val hash_type args_file kwargs",
    "verify_net_in_out": "net_id meta_file config_file device p n any extra_forward_args args_file",
    "download": "name version bundle_dir source repo url remove_prefix progress args_file",
    "download_large_files": "bundle_path large_file_name",
    "init_bundle": "bundle_dir ckpt_file network dataset_license metadata_str inference_str",
}
_FILE_OPTIONS = ("meta_file", "ckpt_file", "logging_file", "args_file")
_LINK = re.compile(r"(?<!\\)!?\[[^\]]*\]\(\s*<?([^)\s>]+)")


@check(
    "readme.commands", "files and options in the card's commands exist", needs=("bundle",), after=("configs.readable",)
)
def commands(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    if not bundle.commands:
        raise Skip("the card has no commands")
    for command in bundle.commands:
        if command.is_bundle:
            yield from _bundle_command(bundle, command)
        else:
            yield from _script(bundle, command)
    yield f"{len(bundle.commands)} commands read"


def _bundle_command(bundle: Bundle, command: Command) -> Iterator[Problem]:
    action = command.positional[0]
    where = f"{bundle.readme}: {command.text[:110]!r}"
    if action not in _ACTIONS:
        yield Problem(f"{where}: monai.bundle has no {action}", f"take one of {', '.join(_ACTIONS)}")
        return
    names = []
    for file in command.config_files:
        inside = bundle.inside(file)
        if inside is None:
            return  # another bundle's, or a file of the reader's
        if inside not in bundle.files:
            yield Problem(f"{where}: {inside} is not there", "name a config that the bundle has")
            return
        names.append(inside)
    for option in _FILE_OPTIONS:
        inside = bundle.inside(command.options.get(option, ""))
        # What is named but not here yet may be made by an earlier command; configs and metadata are not.
        if inside and inside.startswith("configs/") and inside not in bundle.files:
            yield Problem(f"{where}: {inside} is not there", f"name the right file after --{option}")
    if not names:
        return
    try:
        merged = bundle.merged(tuple(names))
    except ConfigError:
        return  # configs.references tells
    for option in command.options:
        id = option.removeprefix("+")
        if option not in _ACTIONS[action].split() and id != "bundle_root" and not has(merged, id):
            yield Problem(
                f"{where}: --{option} is not an id of {' + '.join(names)}",
                "name an id that is there, or drop the option",
            )
    if action == "run":
        run = command.positional[1] if len(command.positional) > 1 else command.options.get("run_id", "run")
        if run not in merged:
            yield Problem(f"{where}: {' + '.join(names)} has no {run}", "name the id of what is to be run")
    elif action.endswith(("export", "in_out")):
        net = command.positional[1] if len(command.positional) > 1 else command.options.get("net_id", "network_def")
        if not has(merged, net):
            yield Problem(f"{where}: {' + '.join(names)} has no {net}", "name the network's id")


def _script(bundle: Bundle, command: Command) -> Iterator[Problem]:
    module = command.module
    path = module if module.endswith(".py") else module.replace(".", "/") + ".py"
    known = bundle.inside(path) is not None and module.split(".")[0].split("/")[0] in {"scripts", *bundle.packages}
    if known and path.removeprefix("./") not in bundle.files:
        yield Problem(
            f"{bundle.readme}: {command.text[:110]!r}: {path} is not there", "ship the script or drop the command"
        )


@check("readme.links", "the card's links lead to files of the bundle", after=("files.readme",))
def links(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for card in bundle.cards:
        yield from _links_of(bundle, card)


def _links_of(bundle: Bundle, card: str) -> Iterator[Problem]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", bundle.text(card), flags=re.DOTALL)
    folder = PurePosixPath(card).parent
    for target in dict.fromkeys(_LINK.findall(text)):
        path = target.split("#")[0].split("?")[0]
        if not path or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", target):
            continue
        parts: list[str] = []
        outside = path.startswith("/")
        for part in (folder / path).parts:
            if part == ".." and not parts:
                outside = True
            elif part == "..":
                parts.pop()
            elif part != ".":
                parts.append(part)
        if outside:
            yield warning(
                f"{card} links to {target}, outside the bundle",
                "give a full address: packed, the link is dead",
            )
        elif not (bundle.root / "/".join(parts)).exists():
            yield Problem(f"{card} links to {target}, which is not there", "mend the link or ship the file")


@check(
    "readme.run",
    "the card's run commands run, from another folder",
    needs=("bundle", "commands", "execution"),
    after=("readme.commands",),
)
def run(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    ran = 0
    for command in bundle.commands:
        if not command.is_bundle or command.positional[0] != "run" or "torchrun" in command.words[0]:
            continue
        names = [bundle.inside(f) for f in command.config_files]
        if not names or None in names:
            continue
        words = _filled(bundle, command, [str(n) for n in names], options)
        if words is None:
            yield warning(f"{command.text[:110]!r} was not run: a value is the reader's", "try it by hand")
            continue
        ran += 1
        with tempfile.TemporaryDirectory(prefix="verify-") as folder:
            out = str(Path(folder) / "out")
            words = [out if w == "OUTPUT" else w for w in words]
            try:
                done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=options.timeout)
            except subprocess.TimeoutExpired:
                yield Problem(f"{command.text[:110]!r} did not end within {options.timeout:g} s", "give more --timeout")
                continue
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or [f"status {done.returncode}"]
            yield Problem(f"{command.text[:110]!r} failed: {last[0][:300]}", f"mend it; as run: {shlex.join(words)}")
    if not ran:
        raise Skip("no command of the card can be run without the reader's own values; --data gives a data set")
    yield f"{ran} commands ran"


def _filled(bundle: Bundle, command: Command, names: list[str], options: Options) -> list[str] | None:
    """The command with the bundle's place, the data set and an output folder filled in; None where more is missing."""
    known = {"config_file", "bundle_root", "dataset_dir", "output_dir"}
    words = [sys.executable, "-m", "monai.bundle", *command.positional]
    words += ["--config_file", str([str(bundle.root / n) for n in names]), "--bundle_root", str(bundle.root)]
    if options.data:
        words += ["--dataset_dir", str(options.data.resolve())]
    if has(bundle.merged(tuple(names)), "output_dir"):
        words += ["--output_dir", "OUTPUT"]
    for option, value in command.options.items():
        if option in known:
            continue
        inside = bundle.inside(value)
        if inside and inside in bundle.files:
            value = str(bundle.root / inside)
        elif re.search(r"[<$]|/", value) or re.fullmatch(r"[A-Z]", value):
            return None
        words += [f"--{option}", value]
    return words
