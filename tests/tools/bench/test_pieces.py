from __future__ import annotations

import json

import pytest

from tools.bench import pieces
from tools.bench.__main__ import main
from tools.bench.tables import pieces_table


def test_the_exponent_is_that_of_a_power():
    assert pieces.exponent([(n, 3 * n**1.5) for n in (1, 4, 10)]) == pytest.approx(1.5)
    assert pieces.exponent([(10, 3.0)]) is None


def test_the_table_names_what_is_compared():
    sizes = [{"size": 1024, "ours_ms": 2.0, "plain_ms": 7.0, "ratio": 3.5}]
    cases = [{"piece": "crf", "sizes": sizes, "exponent": None}]
    cases += [{"piece": "phantom", "sizes": [{"size": 16384, "ours_ms": 9.0}] * 2, "exponent": 0.98}]
    record = {"cases": cases, "repeats": 5, "date": "2026", "load_before": 1.0, "load_after": 1.2}
    table = pieces_table(record | {"versions": {"torch": "2"}})
    assert "sums over all pairs" in table and "3.5x" in table and "16,384 pixels" in table and "0.98" in table
    assert "Void" not in table


@pytest.mark.slow
@pytest.mark.parametrize("name", pieces.PIECES)
def test_every_piece_is_timed(name, tmp_path, monkeypatch):
    piece = pieces.PIECES[name]
    small = 16 if name == "training" else piece.sizes[0]
    monkeypatch.setitem(pieces.PIECES, name, pieces.Piece(piece.title, piece.rival, piece.unit, (small,), piece.ways))
    (found,) = pieces.measure(name, 1)["sizes"]
    assert found["ours_ms"] > 0 and ("plain_ms" in found) == bool(piece.rival)


@pytest.mark.slow
def test_pieces_are_measured_in_their_own_processes(tmp_path, capsys):
    path = tmp_path / "bench.json"
    assert main(["pieces", "--output", str(path), "--names", "nms", "--repeats", "1"]) == 0
    record = json.loads(path.read_text(encoding="utf-8"))
    (case,) = record["cases"]
    assert [one["size"] for one in case["sizes"]] == list(pieces.PIECES["nms"].sizes) and case["exponent"] > 0
    assert pieces_table(record) in capsys.readouterr().out
