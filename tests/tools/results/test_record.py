from __future__ import annotations

import json

from tools.results.record import write_once


def test_figures_of_the_same_inputs_are_computed_once(tmp_path):
    target, calls = tmp_path / "a.json", []

    def score():
        calls.append(1)
        return {"value": len(calls)}

    record, new = write_once({"weights": "x"}, target, score)
    assert (record["value"], new) == (1, True)
    assert write_once({"weights": "x"}, target, score) == (record, False)
    assert json.loads(target.read_text())["value"] == 1
    assert write_once({"weights": "y"}, target, score)[0]["value"] == 2
    found = json.loads(target.read_text())
    assert found["weights"] == "y"
    assert {"date", "device", "versions", "inputs_sha256"} <= set(found)
