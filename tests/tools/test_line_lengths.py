"""What the measurement of wrong sizes counts."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.image_files import grey_picture
from tools import line_lengths

NOISE = np.random.default_rng(0)


def test_each_picture_is_counted_once_for_what_it_shows():
    oblong, square = grey_picture(120, 160), grey_picture(130, 130)
    sheared = oblong.reshape(160, 120)  # a "sound" one that is not
    stripes = NOISE.random((100, 103))  # nothing can be told of it
    found = line_lengths.measure([oblong, square, sheared, stripes])
    assert found["sound"] == {"n": 4, "doubted": 1}
    assert found["exchanged"] == {"n": 3, "noticed": 1, "missed_nearly_square": 1}
    assert found["shorter"]["n"] == 4


def test_every_so_many_th_image_of_both_tables(tmp_path):
    for name, column, step in line_lengths.SETS:
        table = tmp_path / name
        table.parent.mkdir()
        table.write_text("\n".join([column, *(f"{i}.png" for i in range(2 * step))]), encoding="utf-8")
    names = [path.relative_to(tmp_path).as_posix() for path in line_lengths.sample(tmp_path)]
    assert names == ["cxr/0.png", "cxr/9.png", "nih/0.png", "nih/40.png"]


def test_the_command_writes_its_figures(tmp_path, capsys):
    for name, column, _ in line_lengths.SETS:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(f"{column}\na.png\n", encoding="utf-8")
        Image.fromarray(np.round(255 * grey_picture(120, 160)).astype(np.uint8)).save(
            (tmp_path / name).parent / "a.png"
        )
    assert line_lengths.main(["--shared", str(tmp_path), "--output", str(tmp_path)]) == 0
    record = json.loads((tmp_path / "line_lengths.json").read_text(encoding="utf-8"))
    assert record["exchanged"] == {"n": 2, "noticed": 2, "missed_nearly_square": 0}
    assert "Of 2 radiographs of `../shared` whose sides differ, 2 were noticed" in capsys.readouterr().out


def test_without_the_tables_it_is_one_line(tmp_path, capsys):
    assert line_lengths.main(["--shared", str(tmp_path), "--output", str(tmp_path)]) == 1
    assert "manifest.csv: there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("noticed", [0, 3])
def test_the_sentence_has_the_figures(noticed):
    record = {
        "sound": {"n": 9, "doubted": 1},
        "exchanged": {"n": 5, "noticed": noticed, "missed_nearly_square": 1},
        "shorter": {"n": 9, "noticed": 4},
    }
    text = line_lengths.sentence(record)
    assert f"Of 5 radiographs of `../shared` whose sides differ, {noticed} were" in text
    assert f"Of the {5 - noticed} that were missed, 1 are" in text and "Of 9 sound radiographs 1 were doubted" in text
