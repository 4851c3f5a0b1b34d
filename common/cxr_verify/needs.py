"""Conditions of checks. Each gives the reason why it does not hold, or None."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from .bundle import Bundle
from .config_files import ConfigError
from .options import Options


def _bundle(bundle: Bundle, options: Options) -> str | None:
    return "an hf_models entry holds no bundle" if bundle.is_model_entry else None


def _model_entry(bundle: Bundle, options: Options) -> str | None:
    return None if bundle.is_model_entry else "not an entry of hf_models"


def _metadata(bundle: Bundle, options: Options) -> str | None:
    try:
        return None if bundle.metadata else "metadata is empty"
    except ConfigError:
        return "metadata cannot be read"


def _tensors(bundle: Bundle, options: Options) -> str | None:
    if reason := _metadata(bundle, options):
        return reason
    if len(bundle.inputs) > 1:
        return f"the network takes {len(bundle.inputs)} inputs ({', '.join(bundle.inputs)}); one image is tried here"
    needed = {"num_channels": int, "spatial_shape": list, "dtype": str}
    for spec in (bundle.image, bundle.pred):
        if not all(isinstance(spec.get(key), kind) for key, kind in needed.items()):
            return "metadata does not describe an input and an output"
    return None


def _config(stem: str) -> Callable[[Bundle, Options], str | None]:
    def need(bundle: Bundle, options: Options) -> str | None:
        name = bundle.config(stem)
        if name is None:
            return f"no configs/{stem}"
        try:
            bundle.read(name)
        except ConfigError:
            return f"{name} cannot be read"
        return None

    return need


def _network(bundle: Bundle, options: Options) -> str | None:
    if reason := _config("inference")(bundle, options):
        return reason
    return None if "network_def" in bundle.inference else "the inference config has no network_def"


def _weights(bundle: Bundle, options: Options) -> str | None:
    return None if bundle.weights else "the weights are not here"


def _modules(bundle: Bundle, options: Options) -> str | None:
    return None if bundle.modules else "the bundle has no Python modules"


def _execution(bundle: Bundle, options: Options) -> str | None:
    return "not executed (--static)" if options.static else _libraries(bundle, options)


def _libraries(bundle: Bundle, options: Options) -> str | None:
    missing = [name for name in ("torch", "monai") if find_spec(name) is None]
    return f"needs {' and '.join(missing)}: pip install 'cxr-verify[run]'" if missing else None


def _flag(name: str) -> Callable[[Bundle, Options], str | None]:
    return lambda bundle, options: None if getattr(options, name) else f"not asked for (--{name})"


NEEDS: dict[str, Callable[[Bundle, Options], str | None]] = {
    "bundle": _bundle,
    "model_entry": _model_entry,
    "metadata": _metadata,
    "tensors": _tensors,
    "inference": _config("inference"),
    "train": _config("train"),
    "evaluate": _config("evaluate"),
    "network": _network,
    "weights": _weights,
    "modules": _modules,
    "execution": _execution,
    "libraries": _libraries,
    "exports": _flag("exports"),
    "pure": _flag("pure"),
    "commands": _flag("commands"),
}
