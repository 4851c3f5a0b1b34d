import pytest

from cxr_common.errors import InputError
from cxr_tools.pipeline.settings import load_settings
from cxr_tools.prepare.mapping import read_mapping
from cxr_tools.yaml_files import parse_yaml, read_yaml

BAD = {
    "a: [1": "line",
    "[" * 5000: "nested too deep",
    "a: 2026-13-45": "month",
    "a: " + "9" * 5000: "digits",
    "a: \x00": "not",
    "a: *nowhere": "undefined alias",
    "a: !!python/object:os.system x": "could not determine a constructor",
}


@pytest.mark.parametrize(("text", "said"), BAD.items(), ids=range(len(BAD)))
def test_what_is_wrong_is_one_error(tmp_path, text, said):
    with pytest.raises(InputError, match=rf"here: not .*{said}") as caught:
        parse_yaml(text, "here")
    assert "\n" not in str(caught.value)
    path = tmp_path / "a.yaml"
    path.write_text(text)
    for read in (read_yaml, read_mapping, load_settings):
        with pytest.raises(InputError, match="a.yaml: not"):
            read(path)


def test_files_that_are_no_text(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"a: \xff")
    for path, said in ((tmp_path / "a.yaml", "not UTF-8"), (tmp_path, "directory"), (tmp_path / "b", "no such file")):
        with pytest.raises(InputError, match=said):
            read_yaml(path)


def test_what_is_right(tmp_path):
    (tmp_path / "a.yaml").write_text("\ufeffa: [1, x]", encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml") == {"a": [1, "x"]}
