"""Options that nothing asks for, and the nearest one that there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser, ConfigWorkflow
from monai.bundle.properties import InferProperties, MetaProperties, TrainProperties
from monai.bundle.utils import ID_SEP_KEY as SEP
from monai.utils import BundlePropertyConfig

from cxr_common.errors import InputError
from cxr_common.start.nearest import nearest
from cxr_common.start.running import is_used, references
from cxr_common.start.settings import SETTINGS

#: Ids that MONAI, its experiment tracking, or MONAI Label read by name.
READ_BY_MONAI = frozenset(
    {
        str(p[BundlePropertyConfig.ID])
        for all in (InferProperties, MetaProperties, TrainProperties)
        for p in all.values()
    }
    | {"_meta_", "imports", "initialize", "run", "finalize", "detector", "detector_ops", "displayable_configs"}
    | {"tracking_uri", "experiment_name", "run_name", "save_execute_config", "pre_transforms", "post_transforms"}
)


def flattened(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Ids and values of a configuration: its entries, and those of groups such as ``train``, but not of components."""
    for key, value in config.items():
        id = prefix + key.lstrip("+").replace("#", SEP)
        yield id, value
        if isinstance(value, dict) and "_target_" not in value:
            yield from flattened(value, id + SEP)


def refuse_unknown_options(workflow: ConfigWorkflow) -> None:
    """Refuse an option that no config file has and nothing refers to, or whose value cannot replace a part.

    MONAI adds an option that it does not know to the configuration, where it has no effect.

    Args:
        workflow: as it runs; its config files are those of its folder all of whose entries it has.

    Raises:
        InputError: names the option, and the nearest one that there is.
    """
    config: dict[str, Any] = workflow.parser[""]
    files = {path.name: dict(flattened(ConfigParser.load_config_file(path))) for path in _files(workflow)}
    loaded = [entries for entries in files.values() if all(id.split(SEP)[0] in config for id in entries)]
    known: dict[str, list[Any]] = {}
    for id, value in (pair for entries in loaded for pair in entries.items()):
        known.setdefault(id, []).append(value)
    used = {*references(config), *READ_BY_MONAI, str(workflow.init_id), str(workflow.run_id), str(workflow.final_id)}
    for id, value in flattened(config):
        if id in known:
            _refuse_other_form(id, value, known[id])
        elif not is_used(id, used) and not any(is_used(other, {id}) for other in used):
            raise _unknown(id, known, [name for name, entries in files.items() if id in entries])


def _refuse_other_form(id: str, value: Any, given: list[Any]) -> None:
    """Refuse what cannot stand for a component, a group or a list: `given` is what the config files have there."""
    forms = {type(part) for part in given}
    expression = isinstance(value, str) and value.startswith(("@", "$", "%"))
    if expression or value in given or forms - {dict, list} or id in SETTINGS:  # settings have rules of their own
        return
    shown = repr(value) if len(repr(value)) <= 200 else f"{repr(value)[:200]}..."
    if dict in forms and not (isinstance(value, dict) and value):
        inner = [key for part in given if isinstance(part, dict) for key in part if not key.startswith("_")]
        options = [f"{_option(id)}#{key}" for key in dict.fromkeys(inner)]
        action = f"set {', '.join(options)}" if options else "give a component: {_target_: CLASS}"
        raise InputError(f"has parts, and is not a single value such as {shown}", _option(id), action)
    if list in forms and not isinstance(value, list):
        raise InputError(f"is a list, and is not a single value such as {shown}", _option(id), 'give a list: "[...]"')


def _unknown(id: str, known: Iterable[str], elsewhere: list[str]) -> InputError:
    if elsewhere:
        return InputError("is not an option of these config files", _option(id), f"it is one of {', '.join(elsewhere)}")
    guess = nearest(id, known)
    action = f"did you mean {_option(guess)}?" if guess else "options are the entries of the config files"
    return InputError("there is no such option", _option(id), action)


def _option(id: str) -> str:
    return "--" + id.replace(SEP, "#")


def _files(workflow: ConfigWorkflow) -> list[Path]:
    folder = Path(workflow.config_root_path)
    paths = [path for suffix in ConfigParser.suffixes for path in sorted(folder.glob(f"*.{suffix}"))]
    return [path for path in paths if path.name != "metadata.json"]
