"""What a bundle's card says on Hugging Face: the section `hub` of its bundle.yaml, and figures from docs/results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from cxr_common.errors import InputError
from cxr_common.json_files import Record
from tools.bundles.generate import RESULTS, read_page
from tools.results.record import read_result


class _Part(Record):
    model_config = ConfigDict(extra="forbid")


class Figure(_Part):
    """One figure of a result file, and what Hugging Face calls it."""

    test: str
    figure: str
    of: str
    metric: str
    name: str
    data: str
    id: str


class Measured(_Part):
    """Where the shipped weights were scored: result file, training, and method in its tables."""

    file: str
    weights: str
    method: str
    figures: list[Figure]


class Hub(_Part):
    """The front matter of a card."""

    pipeline_tag: str
    tags: list[str]
    datasets: list[str]
    measured: Measured


def read_hub(bundle: Path) -> Hub:
    """The section `hub` of a bundle.yaml.

    Raises:
        InputError: there is none, or it holds something else.
    """
    page = bundle / "bundle.yaml"
    try:
        return Hub.model_validate(read_page(page).get("hub"))
    except ValidationError as error:
        first = error.errors()[0]
        where = "#".join(("hub", *map(str, first["loc"])))
        raise InputError(f"{where}: {first['msg'].lower()}", page, "take a sibling's hub as an example") from None


def read_record(hub: Hub) -> dict[str, Any]:
    """The result file that a bundle was scored in; errors as :func:`~tools.results.record.read_result`."""
    return read_result(RESULTS / f"{hub.measured.file}.json")


def values(hub: Hub, record: dict[str, Any]) -> list[tuple[Figure, float]]:
    """The card's figures with their values; one that is not defined is left out.

    Raises:
        InputError: the result file has no such figure.
    """
    found = []
    for wanted in hub.measured.figures:
        try:
            interval = record["tests"][wanted.test]["figures"][wanted.figure][wanted.of]["methods"][hub.measured.method]
        except KeyError as error:
            where = f"docs/results/{hub.measured.file}.json"
            raise InputError(f"has no {error.args[0]}", where, "mend hub in bundle.yaml, or make results") from None
        if interval["value"] is not None:
            found.append((wanted, interval["value"]))
    return found
