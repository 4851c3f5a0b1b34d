import json

import pytest
from PIL import Image

from cxr_common.data import load_datalist, load_labels, read_datalist, validate_datalist, write_datalist
from cxr_common.errors import InputError


def item(image="a.png", **fields):
    return {"image": image, "patient": image, "label": [1, 0], **fields}


def datalist(**sections):
    return {"labels": ["Mass", "Nodule"], "training": [], "validation": [], "testing": [], **sections}


def problems(*items, **fields):
    return [str(p) for p in validate_datalist(datalist(training=list(items), **fields), check_files=False)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "masks").mkdir()
    for name in ("a.png", "b.png", "masks/a.png"):
        (tmp_path / name).touch()
    return tmp_path


def write(folder, data):
    path = folder / "datalist.json"
    path.write_text(json.dumps(data))
    return path


def test_load_returns_absolute_paths_and_passes_unknown_keys(folder):
    mask = {"Mass": "masks/a.png", "Nodule": None}
    path = write(folder, datalist(training=[item(mask=mask, view="PA")], validation=[item("b.png")]))
    [loaded] = load_datalist(path, "training")
    assert loaded == {
        "image": str(folder / "a.png"),
        "patient": "a.png",
        "label": [1, 0],
        "mask": {"Mass": str(folder / "masks/a.png"), "Nodule": None},
        "view": "PA",
    }
    assert [i["patient"] for i in load_datalist(path)] == ["a.png", "b.png"]
    assert load_labels(path) == ["Mass", "Nodule"]


def test_base_dir_replaces_the_datalists_folder(folder, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("elsewhere"), datalist(training=[item()]))
    assert load_datalist(path, "training", base_dir=folder)[0]["image"] == str(folder / "a.png")
    with pytest.raises(InputError, match=r"training\[0\].image: no such file"):
        load_datalist(path, "training")
    assert load_datalist(path, "training", check_files=False)


def test_labels_are_matched_by_name(folder):
    boxes = {
        "boxes": [[0, 0, 1, 1], [2, 2, 3, 3]],
        "box_labels": [0, 1],
        "box_findings": ["Lump", "Spot"],
        "mask": {"Mass": None, "Nodule": "masks/a.png"},
    }
    path = write(folder, datalist(training=[item(**boxes), item("b.png", boxes=[])]))
    first, second = load_datalist(path, "training", labels=["Edema", "Nodule"])
    assert first["label"] == [None, 0]
    assert (first["boxes"], first["box_labels"]) == ([[2, 2, 3, 3]], [1])
    assert first["box_findings"] == ["Spot"]
    assert list(first["mask"]) == ["Nodule"]
    assert second["boxes"] == [], "annotated without a box must stay annotated"
    with pytest.raises(InputError, match="share no name"):
        load_datalist(path, "training", labels=["mass"])


def test_a_label_map_is_a_file_whose_numbers_belong_to_the_labels(folder):
    path = write(folder, datalist(training=[item(label_map="masks/a.png")], testing=[item("b.png", label_map="gone")]))
    assert load_datalist(path, "training")[0]["label_map"] == str(folder / "masks/a.png")
    assert load_datalist(path, "training", labels=["Mass", "Nodule"])[0]["label_map"]
    assert "label_map" not in load_datalist(path, "training", labels=["Nodule", "Mass"])[0]
    with pytest.raises(InputError, match=r"testing\[0\].label_map: no such file"):
        load_datalist(path, "testing")


def test_missing_requirement_and_empty_section_are_errors(folder):
    unlabelled = item()
    del unlabelled["label"]
    path = write(folder, datalist(training=[unlabelled]))
    with pytest.raises(InputError, match=r"datalist.json: 1 problem\n  training\[0\].label: is missing"):
        load_datalist(path, "training")
    assert "label" not in load_datalist(path, "training", require=())[0]
    with pytest.raises(InputError, match="testing: holds no items; items per section: training 1, validation 0"):
        load_datalist(path, "testing")
    with pytest.raises(InputError, match="no section 'train'"):
        load_datalist(path, "train")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"label": [1]}, "training[0].label: has 1 values for 2 labels"),
        ({"label": 1}, "training[0].label: is a number, not a list of 2 values"),
        ({"label": [1, 2]}, "training[0].label[1]: is 2, not 1, 0, -1 or null"),
        ({"label": [True, 0]}, "training[0].label[0]: is True"),
        ({"label": [float("nan"), 0]}, "training[0].label[0]: is nan"),
        ({"patient": 1.5}, "training[0].patient: is 1.5"),
        ({"image": "/data/a.png"}, "training[0].image: '/data/a.png' is absolute"),
        ({"image": "C:/a.png"}, "training[0].image: 'C:/a.png' is absolute"),
        ({"image": "images\\a.png"}, "training[0].image: 'images\\\\a.png' has a backslash"),
        ({"image": 3}, "training[0].image: is 3, not a path"),
        ({"boxes": [[1, 1, 2, 2]]}, "training[0].box_labels: has 0 entries for 1 boxes"),
        ({"box_labels": []}, "training[0].box_labels: is given without boxes"),
        ({"boxes": None}, "training[0].boxes: is null, not a list"),
        ({"boxes": [[1, 1, 2]], "box_labels": [0]}, "training[0].boxes[0]: is [1, 1, 2], not [x0, y0, x1, y1]"),
        ({"boxes": [[2, 1, 1, 2]], "box_labels": [0]}, "training[0].boxes[0]: [2, 1, 1, 2] is empty or inverted"),
        ({"boxes": [[1, 1, 1, 2]], "box_labels": [0]}, "training[0].boxes[0]: [1, 1, 1, 2] is empty or inverted"),
        ({"boxes": [[-1, 1, 2, 2]], "box_labels": [0]}, "training[0].boxes[0]: [-1, 1, 2, 2] starts outside"),
        ({"boxes": [[0, 0, float("inf"), 2]], "box_labels": [0]}, "training[0].boxes[0]: [0, 0, inf, 2] is not finite"),
        ({"boxes": [[0, 0, float("nan"), 2]], "box_labels": [0]}, "training[0].boxes[0]: [0, 0, nan, 2] is not finite"),
        ({"boxes": [[0, 0, 1, 1]], "box_labels": [2]}, "training[0].box_labels[0]: is 2, not a class index 0 to 1"),
        ({"boxes": [[0, 0, 1, 1]], "box_labels": ["Mass"]}, "training[0].box_labels[0]: is 'Mass'"),
        (
            {"boxes": [[0, 0, 1, 1]], "box_labels": [0], "box_findings": []},
            "training[0].box_findings: has 0 entries for 1",
        ),
        ({"box_findings": "Lump"}, "training[0].box_findings: is 'Lump', not a list of names"),
        ({"findings": ["Lump", 1]}, "training[0].findings: is ['Lump', 1], not a list of names"),
        ({"mask": {"Edema": None}}, "training[0].mask: 'Edema' is not one of the labels"),
        ({"mask": "a.png"}, "training[0].mask: is text, not an object"),
        ({"mask": {"Mass": "/a.png"}}, "training[0].mask['Mass']: '/a.png' is absolute"),
        ({"mask_origin": "me"}, "training[0].mask_origin: is 'me', not one of expert, pseudo"),
        ({"heatmap": 1}, "training[0].heatmap: is 1, not a path"),
        ({"label_map": "/a.png"}, "training[0].label_map: '/a.png' is absolute"),
    ],
)
def test_each_fault_is_named(fields, expected):
    [found] = problems(item(**fields))
    assert found.startswith(expected)


def test_a_sound_item_has_no_problem():
    full = item(
        label=[-1, None], boxes=[[0, 0, 0.5, 1]], box_labels=[1], mask={"Mass": None}, mask_origin="pseudo", group=7
    )
    assert problems(full, item("b.png", boxes=[], box_labels=[], label=[1.0, 0])) == []


def test_leaks_between_splits_and_repeated_images():
    a, b = item(patient=1, group="g"), item("./a.png", patient="1", group="h")
    assert problems(a, validation=[b]) == [
        "validation[0].image: './a.png' is already training[0]",
        "validation[0].patient: '1' is also in another split, at training[0]",
    ]
    assert problems(item(group="g"), testing=[item("b.png", group="g")]) == [
        "testing[0].group: 'g' is also in another split, at training[0]"
    ]
    assert problems(item(group="g"), item("b.png", group="g")) == []
    assert problems(item(), item()) == ["training[1].image: 'a.png' is already training[0]"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], "datalist: is a list"),
        ({"training": []}, "labels: is missing"),
        ({"labels": [], "training": []}, "labels: must be a list"),
        ({"labels": ["A", "A"], "training": []}, "labels: lists 'A' twice"),
        ({"labels": ["A"]}, "datalist: has none of the sections"),
        ({"labels": ["A"], "training": {}}, "training: is an object, not a list"),
        ({"labels": ["A"], "training": ["a.png"]}, "training[0]: is text, not an object"),
        ({"labels": ["A"], "training": [], "train": [{"image": "a"}]}, "train: is not a section, yet lists images"),
        ({"labels": ["A"], "training": [{"label": [1]}]}, "training[0].image: is missing"),
    ],
)
def test_faults_of_the_whole(data, expected):
    [found] = validate_datalist(data)
    assert str(found).startswith(expected)


def test_boxes_that_nothing_learns_from_are_a_section_of_their_own(folder):
    boxed = item("b.png", patient="2", boxes=[[0, 0, 1, 1]], box_labels=[1], box_findings=["Spot"], findings=["Spot"])
    path = write(folder, datalist(training=[item(patient="1")], localisation=[boxed]))
    [loaded] = load_datalist(path, "localisation")
    assert (loaded["box_findings"], loaded["findings"]) == (["Spot"], ["Spot"])
    assert [i["patient"] for i in load_datalist(path)] == ["1", "2"]
    assert problems(item(patient="2"), localisation=[boxed]) == [
        "localisation[0].patient: '2' is also in another split, at training[0]"
    ]


def test_an_error_lists_the_first_ten_problems_and_counts_all(folder):
    path = write(folder, datalist(training=[item(f"{i}.png", label=[]) for i in range(12)]))
    with pytest.raises(InputError) as e:
        load_datalist(path, "training", check_files=False)
    lines = str(e.value).splitlines()
    assert lines[0].endswith("datalist.json: 12 problems")
    assert lines[10].startswith("  training[9].label") and lines[11:] == ["  and 2 more"]


def test_files_are_looked_for_in_the_section_asked_for_only(folder):
    path = write(folder, datalist(training=[item()], testing=[item("gone.png", mask={"Mass": "gone"}, heatmap="gone")]))
    assert load_datalist(path, "training")
    with pytest.raises(InputError, match="3 problems") as e:
        load_datalist(path, "testing")
    assert "testing[0].mask['Mass']: no such file" in str(e.value)


def test_a_folder_without_any_of_the_images_is_the_wrong_folder(folder):
    path = write(folder, datalist(training=[item("a/1.png"), item("a/2.png")]))
    with pytest.raises(InputError, match="none of its 2 images is there; .*--root or --dataset_dir") as e:
        load_datalist(path, "training")
    assert "training[0].image: no such file" in str(e.value), "and where it looked"


@pytest.mark.parametrize(
    ("orientation", "suffix", "fits"), [(1, "jpg", True), (6, "jpg", False), (1, "tif", True), (6, "tif", False)]
)
def test_boxes_must_lie_in_the_upright_picture(tmp_path, orientation, suffix, fits):
    exif = Image.Exif()
    exif[274] = orientation
    Image.new("L", (40, 20)).save(tmp_path / f"a.{suffix}", exif=exif)
    wide = item(f"a.{suffix}", boxes=[[30, 0, 40.9, 20]], box_labels=[0])
    path = write(tmp_path, datalist(training=[wide]))
    if fits:
        assert load_datalist(path, "training")
    else:
        with pytest.raises(InputError, match=r"training\[0\].boxes\[0\]: .* leaves the image of 20 x 40 pixels"):
            load_datalist(path, "training")
    assert load_datalist(path, "training", check_files=False)
    path = write(tmp_path, datalist(training=[item(f"a.{suffix}", boxes=[[0, 0, 9, 42]], box_labels=[0])]))
    with pytest.raises(InputError, match="leaves the image"):
        load_datalist(path, "training")


def test_bad_json_says_line_and_column(tmp_path):
    path = tmp_path / "datalist.json"
    path.write_text('{"labels": ["A"],\n "training": [,]}')
    with pytest.raises(InputError, match="datalist.json line 2 column 15: not JSON"):
        load_datalist(path)
    with pytest.raises(InputError, match="absent.json: no such file"):
        read_datalist(tmp_path / "absent.json")
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="not UTF-8"):
        read_datalist(path)


def test_writing_round_trips_and_leaves_nothing_behind_on_failure(tmp_path):
    path = tmp_path / "new" / "datalist.json"
    data = datalist(training=[item(), item("ü.png", label=[None, -1])], note="kept")
    write_datalist(data, path)
    assert read_datalist(path) == data
    before = path.read_text()
    with pytest.raises(InputError):
        write_datalist(datalist(training=[item(label=[5])]), path)
    with pytest.raises(ValueError):
        write_datalist(datalist(training=[item(age=float("nan"))]), path)
    assert path.read_text() == before and list(path.parent.iterdir()) == [path]


@pytest.mark.fault("a path in a datalist leads out of its folder", "refused, unless the datalist says that it is meant")
@pytest.mark.parametrize("field", ["image", "mask", "heatmap", "label_map"])
@pytest.mark.parametrize("path", ["../a.png", "x/../../a.png", "..", "./../a.png"])
def test_paths_out_of_the_data_folder_need_a_word(tmp_path, field, path):
    (tmp_path / "a.png").write_text("")
    root = tmp_path / "root"
    (root / "x").mkdir(parents=True)
    (root / "b.png").write_text("")
    item = {"image": "b.png", **({"mask": {"A": path}} if field == "mask" else {field: path})}
    data = {"labels": ["A"], "training": [item]}
    (root / "datalist.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"leads out of the data set root; if that is meant, write .outside.: true"):
        load_datalist(root / "datalist.json", require=())
    if path == "../a.png":
        (root / "datalist.json").write_text(json.dumps({**data, "outside": True}))
        assert load_datalist(root / "datalist.json", require=())
    for word in (1, "yes", None, False):
        (root / "datalist.json").write_text(json.dumps({**data, "outside": word}))
        with pytest.raises(InputError, match="leads out"):
            load_datalist(root / "datalist.json", require=())


def test_links_in_the_data_folder_are_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.png").write_text("")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "images").symlink_to(tmp_path / "there")
    (tmp_path / "root" / "d.json").write_text('{"labels": ["A"], "training": [{"image": "images/a.png"}]}')
    (item,) = load_datalist(tmp_path / "root" / "d.json", require=())
    assert item["image"] == str(tmp_path / "root" / "images" / "a.png")


def test_what_we_write_says_that_it_leads_out(tmp_path):
    inside, outside = ({"labels": ["A"], "training": [{"image": image}]} for image in ("a.png", "../a.png"))
    write_datalist(inside, tmp_path / "in.json")
    write_datalist(outside, tmp_path / "out.json")
    assert "outside" not in json.loads((tmp_path / "in.json").read_text())
    assert json.loads((tmp_path / "out.json").read_text())["outside"] is True
    assert read_datalist(tmp_path / "out.json")["training"] == outside["training"]


@pytest.mark.parametrize("label", ["x" * 101, "a\nb", "a\x1b[2J", "\u202e"])
def test_names_that_are_no_class_names(label):
    problems = validate_datalist({"labels": [label, "Mass"], "training": []})
    assert "is not a class name" in str(problems[0])
