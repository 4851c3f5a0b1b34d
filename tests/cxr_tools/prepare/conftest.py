import pytest

MANIFEST = """case;file;person;pool;part;age;Mass;Infiltration;Edema;none
c1;images/1.png;p1;g1;train;61;1;0;0;0
c2;images/2.png;p2;g2;val;;0;1.0;-9;0

c3;images/3.png;p3;g3;test;007;?;0;0;1
c4;images/4.png;p4;g3;test;5.5;0;0;-9;0
c5;images/5.png;p5;g5;skip;5;0;0;0;0
"""
BOXES = """case,kind,x,y,w,h,reader
c1,Mass,10,20.5,5,6.25,A
c2,Infiltrate,1.01,2,351.86,109.23,A
c2,Infiltrate,4,4,1,1,B
c5,Mass,1,1,1,1,A
"""
MASKS = """case,kind,png
c1,Mass,masks/1.png
c3,Mass,
"""
MAPPING = {
    "images": {
        "table": "manifest.csv",
        "id": "case",
        "image": "file",
        "patient": "person",
        "group": "pool",
        "split": "part",
        "splits": {"train": "training", "val": "validation", "test": "testing", "skip": None},
        "keep": {"age": "age", "number": {"column": "person", "extract": r"\d+"}},
    },
    "values": {-9: None, "?": -1},
    "labels": {"Mass": "Mass", "Opacity": {"any": ["Infiltration", "Edema"], "none": "none"}},
    "boxes": {
        "table": "boxes.csv",
        "id": "case",
        "label": "kind",
        "xywh": ["x", "y", "w", "h"],
        "where": {"reader": "A"},
        "annotated": {"case": ["c1", "c2", "c4", "c5"]},
        "classes": {"Infiltrate": "Opacity"},
    },
    "masks": {"table": "masks.csv", "id": "case", "label": "kind", "file": "png", "origin": "expert"},
}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "manifest.csv").write_text(MANIFEST)
    (tmp_path / "boxes.csv").write_text(BOXES)
    (tmp_path / "masks.csv").write_text(MASKS)
    for folder, names in (("images", "12345"), ("masks", "1")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.png").touch()
    return tmp_path


@pytest.fixture
def mapping():
    import copy

    return copy.deepcopy(MAPPING)
