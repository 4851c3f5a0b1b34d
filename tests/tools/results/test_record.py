from __future__ import annotations

import json
from pathlib import Path

import pytest

from cxr_common.errors import InputError
from tests.golden import REPOSITORY
from tools.results.record import FigureRecord, Figures, Inputs, SetRecord, read_result, write_once
from tools.results.render import parts

RESULTS = REPOSITORY / "docs" / "results"
#: A part that is not measured yet has none.
FILES = sorted({file for file, *_ in parts().values() if (RESULTS / file).is_file()})


def inputs(**change):
    known = {"experiment": "a", "quick": False, "recipe": {"size": 1}, "trained_on": {"training": "t"}}
    return Inputs(**{**known, "weights_sha256": {"x": "w"}, "test_sha256": {"p": "s"}, **change})


def figures(value):
    one = {"level": 0.95, "n_patients": 1, "n_images": 1, "n_seeds": 1, "n_resamples": 1, "low": None, "high": None}
    figure = FigureRecord(methods={"m": {"value": value, **one}})
    return Figures(tests={"p": SetRecord(n_images=1, n_patients=1, figures={"point": {"micro": figure}})})


def value(record):
    return record["tests"]["p"]["figures"]["point"]["micro"]["methods"]["m"]["value"]


def test_figures_of_the_same_inputs_are_computed_once(tmp_path):
    target, calls = tmp_path / "a.json", []

    def score():
        calls.append(1)
        return figures(len(calls))

    record = write_once(inputs(), target, score)
    assert write_once(inputs(), target, score) == record == read_result(target)
    assert value(record) == 1 and len(calls) == 1
    assert value(write_once(inputs(weights_sha256={"x": "y"}), target, score)) == 2
    found = json.loads(target.read_text(encoding="utf-8"))
    assert found["weights_sha256"] == {"x": "y"}
    assert {"date", "device", "versions", "inputs_sha256"} <= set(found)


def test_code_that_moves_voids_no_result():
    old, new = ({"inferer": {"_target_": f"cxr_common.{module}.Mirrored"}} for module in ("a.b", "c"))
    assert inputs(recipe=old).digest() == inputs(recipe=new).digest() != inputs(recipe={}).digest()


@pytest.mark.parametrize("file", FILES)
def test_a_result_file_is_of_the_inputs_that_it_names(file):
    record = read_result(RESULTS / file)
    known = Inputs(**{name: record[name] for name in Inputs.model_fields})
    assert known.digest() == record["inputs_sha256"]
    assert record["experiment"] == Path(file).stem


def test_a_file_of_another_form_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"phantoms": {}}', encoding="utf-8")
    with pytest.raises(InputError, match="run the experiment again"):
        read_result(path)
