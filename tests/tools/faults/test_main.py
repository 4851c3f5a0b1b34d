from __future__ import annotations

import json

from tools.faults import __main__ as faults


def test_bundles_can_be_done_one_after_another(tmp_path, monkeypatch, capsys):
    counts = {"compared": 1, "different": 0, "seconds": 1.0}
    monkeypatch.setattr(faults, "kill_trainings", lambda name, kills, seed: {"bundle": name, "kills": kills, **counts})
    path = tmp_path / "faults_trainings.json"

    def run(*options):
        assert faults.main(["--only", "trainings", "--output", str(tmp_path), *options]) == 0
        return {one["bundle"]: one["kills"] for one in json.loads(path.read_text(encoding="utf-8"))["trainings"]}

    assert run("--bundles", "cxr_pylon_localization", "--kills", "3") == {"cxr_pylon_localization": 3}
    both = {"cxr_oxnet_detection": 4, "cxr_pylon_localization": 3}
    assert list(run("--bundles", "cxr_oxnet_detection", "--kills", "4").items()) == list(both.items())
    said = capsys.readouterr().out
    assert "cxr_pylon_localization | 3" in said and "Not measured yet: cxr_chexseg_segmentation, cxr_gradcam" in said
    assert run("--bundles", "cxr_oxnet_detection", "--kills", "5") == both | {"cxr_oxnet_detection": 5}
    assert run("--bundles", "cxr_oxnet_detection", "--kills", "5", "--seed", "1") == {"cxr_oxnet_detection": 5}
