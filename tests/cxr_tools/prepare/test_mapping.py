import pytest

from cxr_common.errors import InputError
from cxr_tools.prepare.mapping import parse_mapping, read_mapping


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"images": None}, "m: images: is missing"),
        ({"images": {}}, "m: images: no table given"),
        ({"images": {"table": "a", "pat": "b"}}, "m: images: unknown key 'pat'; keys are table, image"),
        ({"images": {"table": "a", "where": "b"}}, "m: images: where must be a mapping"),
        ({"labels": {}}, "m: no labels given"),
        ({"values": {"Yes": "ja"}}, "m: values: Yes: 'ja' is not a label value; give 1, 0, -1 or null"),
        ({"values": {"Yes": 2}}, "m: values: Yes: 2 is not a label value"),
        ({"values": {"Yes": True}}, "m: values: Yes: True is not a label value"),
        ({"box": {}}, "m: unknown key 'box'"),
        ({"boxes": {"table": "b"}}, "m: boxes: needs four columns"),
        ({"boxes": {"table": "b", "xywh": ["a"]}}, "m: boxes: needs four columns"),
        ({"masks": {"tabel": "b"}}, "m: masks: unknown key 'tabel'"),
    ],
)
def test_faults_are_named(change, reason):
    with pytest.raises(InputError, match=reason):
        parse_mapping({"images": "a.csv", "labels": {"A": "A"}, **change}, "m")


def test_a_bare_table_name_takes_the_default_columns():
    mapping = parse_mapping({"images": "a.csv", "labels": {"A": "A"}})
    assert (mapping.images.table, mapping.images.image, mapping.boxes) == ("a.csv", "image", None)


def test_reading(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("a: [")
    with pytest.raises(InputError, match=r"m.yaml: not YAML: .*line 1"):
        read_mapping(path)
    path.write_text("- a")
    with pytest.raises(InputError, match="not a mapping"):
        read_mapping(path)
    with pytest.raises(InputError, match="shipped mappings: .*shared_cxr_nih"):
        read_mapping("nih_shared")
