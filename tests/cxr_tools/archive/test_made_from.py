"""An output folder belongs to one bundle with its options, from its first row on."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="needs the extra ray")

from cxr_common.errors import InputError
from cxr_tools.archive.made_from import FILE, settle


def bundle():
    model = SimpleNamespace(as_dict=lambda: {"name": "a"})
    thresholds = SimpleNamespace(as_dict=lambda: {"decision": {}})
    return SimpleNamespace(model=model, config=SimpleNamespace(get_parsed_content=lambda _: thresholds))


def add_row(output):
    (output / "results" / "bucket=0").mkdir(parents=True)
    (output / "results" / "bucket=0" / "part-1.parquet").write_bytes(b"")


def test_buckets_and_key_stay_those_of_the_first_run(tmp_path):
    first = settle(tmp_path, bundle(), {"partition": "hash"}, 3)
    assert settle(tmp_path, bundle(), {"partition": "hash"}, 7) == first and first[0] == 3


def test_a_run_that_never_began_binds_nobody(tmp_path):
    first = settle(tmp_path, bundle(), {"partition": "hash"}, 3)
    second = settle(tmp_path, bundle(), {"partition": "date"}, 5)
    assert second[0] == 5 and second[1] != first[1]
    add_row(tmp_path)
    with pytest.raises(InputError, match=r"has results of another run \(partition\)"):
        settle(tmp_path, bundle(), {"partition": "hash"}, 3)


def test_results_of_which_nothing_is_known_are_not_added_to(tmp_path):
    add_row(tmp_path)
    with pytest.raises(InputError, match="is missing, and there are results"):
        settle(tmp_path, bundle(), {}, 1)
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"buckets": 0},
        {"buckets": "3"},
        {"buckets": 1e300},
        {"key": ""},
        {"key": "xy"},
        {"key": 5},
        {"made_from": []},
        {"made_from": None},
    ],
)
def test_what_is_damaged_is_refused(tmp_path, change):
    settle(tmp_path, bundle(), {}, 1)
    known = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    (tmp_path / FILE).write_text(json.dumps(known | change), encoding="utf-8")
    with pytest.raises(InputError, match="is not what cxr archive writes"):
        settle(tmp_path, bundle(), {}, 1)
