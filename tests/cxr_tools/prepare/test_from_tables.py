import pytest

from cxr_common.errors import InputError
from cxr_tools.prepare.from_tables import datalist_from_tables
from cxr_tools.prepare.mapping import parse_mapping


def build(root, mapping, **kwargs):
    return datalist_from_tables(parse_mapping(mapping), root, **kwargs)


def test_every_part_of_a_mapping(root, mapping):
    data = build(root, mapping)
    assert data == {
        "labels": ["Mass", "Opacity"],
        "training": [
            {
                "image": "images/1.png",
                "patient": "p1",
                "group": "g1",
                "age": 61,
                "number": 1,
                "label": [1, None],
                "boxes": [[10, 20.5, 15, 26.75]],
                "box_labels": [0],
                "mask": {"Mass": "masks/1.png"},
                "mask_origin": "expert",
            }
        ],
        "validation": [
            {
                "image": "images/2.png",
                "patient": "p2",
                "group": "g2",
                "number": 2,
                "label": [0, 1],
                "boxes": [[1.01, 2, 352.87, 111.23]],
                "box_labels": [1],
            }
        ],
        "testing": [
            {
                "image": "images/3.png",
                "patient": "p3",
                "group": "g3",
                "age": "007",
                "number": 3,
                "label": [-1, 0],
                "mask": {"Mass": None},
                "mask_origin": "expert",
            },
            {
                "image": "images/4.png",
                "patient": "p4",
                "group": "g3",
                "age": 5.5,
                "number": 4,
                "label": [0, None],
                "boxes": [],
                "box_labels": [],
            },
        ],
    }


def test_without_annotated_only_images_with_a_row_are_annotated(root, mapping):
    mapping["boxes"]["annotated"] = None
    data = build(root, mapping)
    assert "boxes" not in data["testing"][1] and data["training"][0]["box_labels"] == [0]


def test_empty_annotated_is_every_image(root, mapping):
    mapping["boxes"]["annotated"] = {}
    assert [i["boxes"] for i in build(root, mapping)["testing"]] == [[], []]


def test_xyxy_prefix_and_suffix(root, mapping):
    (root / "boxes.csv").write_text("case,kind,a,b,c,d\nc1,Mass,1,2,3,5\n")
    mapping["boxes"] = {"table": "boxes.csv", "id": "case", "label": "kind", "xyxy": ["a", "b", "c", "d"]}
    mapping["images"].update(prefix="data/", suffix=".gz", where={"pool": ["g1", "G2"], "none": 0})
    data = build(root, mapping)
    assert data["training"][0]["boxes"] == [[1, 2, 3, 5]]
    assert data["validation"][0]["image"] == "data/images/2.png.gz" and data["testing"] == []


def test_the_sources_own_findings_a_prefix_and_a_section_for_boxes(root, mapping):
    mapping["images"].update(
        findings=["Infiltration", "Edema"],
        patient={"column": "person", "extract": r"\d+", "prefix": "x:"},
        keep={"source": {"value": "clinic"}},
        splits={"train": "training", "val": "localisation", "test": None, "skip": None},
    )
    mapping["boxes"].update(findings=True, annotated=None)
    data = build(root, mapping)
    assert [len(data[section]) for section in ("training", "validation", "testing", "localisation")] == [1, 0, 0, 1]
    [item] = data["localisation"]
    assert (item["findings"], item["box_findings"], item["box_labels"]) == (["Infiltration"], ["Infiltrate"], [1])
    assert (item["patient"], item["source"]) == ("x:2", "clinic")
    assert data["training"][0]["findings"] == []
    assert "localisation" not in build(root, {**mapping, "images": {**mapping["images"], "split": None}})


def test_random_split_without_a_split_column(root, mapping):
    mapping["images"]["split"] = None
    data = build(root, mapping, fractions=(0.25, 0.25), seed=1)
    groups = {section: {i["group"] for i in data[section]} for section in ("training", "validation", "testing")}
    assert [len(g) for g in groups.values()] == [2, 1, 1] and set.union(*groups.values()) == {"g1", "g2", "g3", "g5"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("images", "patient", "nobody"), "manifest.csv: no column 'nobody'; columns are case, file"),
        (("images", "splits", {"train": "training"}), "manifest.csv line 3 column 'part': 'val' is not a split"),
        (("images", "where", {"case": "c9"}), "manifest.csv: no row matches"),
        (
            ("images", "keep", {"age": {"column": "age", "extract": "x"}}),
            "line 2 column 'age': '61' does not match 'x'",
        ),
        (("images", "id", "none"), "line 3 column 'none': '0' has a row here and in line 2; choose a rule"),
        (("images", "patient", "age"), "line 3 column 'age': is empty, so the patient is unknown"),
        (("values", -9, 7), "values: -9: 7 is not a label value; give 1, 0, -1 or null"),
        (("values", "?", None), None),
        (("labels", "Mass", "case"), "line 2 column 'case': 'c1' is not a label value"),
        (("labels", "Mass", ["Mass"]), "label rule .* is not a column, null or"),
        (("boxes", "table", "none.csv"), "none.csv: no such file"),
        (("boxes", "where", {"reader": "Z"}), "boxes.csv: no row matches"),
        (("boxes", "id", "reader"), "boxes.csv line 2 column 'reader': 'A' is not an image of manifest.csv"),
        (("boxes", "classes", {}), "boxes.csv line 3 column 'kind': 'Infiltrate' is none of the labels"),
        (("boxes", "annotated", {"case": "c1"}), "boxes.csv line 3 column 'case': has boxes, yet its image is not"),
        (("boxes", "xywh", ["x", "y", "w", "reader"]), "boxes.csv line 2 column 'reader': 'A' is not a number"),
        (("boxes", "xywh", ["x", "y", "x", "y"]), None),
    ],
)
def test_errors_name_file_line_and_column(root, mapping, change, reason):
    section, key, value = change
    mapping[section][key] = value
    if reason is None:
        build(root, mapping)
    else:
        with pytest.raises(InputError, match=reason):
            build(root, mapping)


@pytest.mark.parametrize(
    ("table", "text", "reason"),
    [
        ("masks.csv", "case,kind,png\nc1,Mass,a\nc1,Mass,b\n", "line 3 column 'kind': is a second mask of Mass"),
        ("boxes.csv", "case,kind,x,y,w,h,reader\nc1,Mass,1,1,-3,2,A\n", "line 2 column 'w': makes an empty box"),
        ("boxes.csv", "case,kind,x,y,w,h,reader\nc1,Mass,1,1,nan,2,A\n", "line 2 column 'w': makes an empty box"),
        ("boxes.csv", "case,kind,x,y,w,h,reader\nc1,Mass,1,1\n", "boxes.csv line 2: 4 cells for 7 columns"),
        ("boxes.csv", "case,case\n1,2\n", "column 'case' occurs twice"),
        ("boxes.csv", "case,kind\n", "boxes.csv: holds no rows"),
        ("boxes.csv", "", "boxes.csv: holds no rows"),
    ],
)
def test_bad_tables(root, mapping, table, text, reason):
    (root / table).write_text(text)
    with pytest.raises(InputError, match=reason):
        build(root, mapping)


def test_a_class_mapped_to_null_is_left_out(root, mapping):
    mapping["boxes"]["classes"]["Infiltrate"] = None
    assert build(root, mapping)["validation"][0]["boxes"] == []


REPEATED = """file,target,x,y,w,h
a,1,0,0,4,4
a,1,8,8,4,4
b,0,,,,
"""
ONE_ROW_A_BOX = {
    "images": {"table": "t.csv", "image": "file", "repeated": True},
    "labels": {"Opacity": "target"},
    "boxes": {
        "table": "t.csv",
        "id": "file",
        "label": "target",
        "classes": {"1": "Opacity"},
        "xywh": ["x", "y", "w", "h"],
        "where": {"target": 1},
        "annotated": {},
    },
}


def test_a_table_with_one_row_a_box(tmp_path):
    (tmp_path / "t.csv").write_text(REPEATED)
    data = build(tmp_path, ONE_ROW_A_BOX, fractions=(0, 0))
    assert data["training"] == [
        {"image": "a", "label": [1], "boxes": [[0, 0, 4, 4], [8, 8, 12, 12]], "box_labels": [0, 0]},
        {"image": "b", "label": [0], "boxes": [], "box_labels": []},
    ]


def test_rows_of_an_image_must_agree_on_its_labels(tmp_path):
    (tmp_path / "t.csv").write_text(REPEATED + "b,1,0,0,2,2\n")
    with pytest.raises(InputError, match="line 5 column 'file': 'b' has other labels here than in line 4"):
        build(tmp_path, ONE_ROW_A_BOX)
