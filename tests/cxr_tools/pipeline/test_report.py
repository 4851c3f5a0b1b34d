from __future__ import annotations

from cxr_tools.pipeline.report import figures


def interval(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def hits(mass, nodule):
    per_class = {"Mass": interval(mass), "Nodule": interval(nodule), "Edema": None}
    return {
        "macro": interval((mass + nodule) / 2),
        "per_class": per_class,
        "pairs": {"Mass": 3, "Nodule": 4, "Edema": 0},
    }


def masks(mass, nodule):
    return {**hits(mass, nodule), "present": {"Mass": 3, "Nodule": 4, "Edema": 0}}


def rows(page):
    return {line.split(" | ")[0].strip("| "): line for line in page.splitlines() if line.startswith("| ")}


def test_masks_are_what_is_compared_with_where_there_are_any():
    metrics = {"n_images": 9, "localization": {"point": hits(0.1, 0.2)}}
    page = figures({"metrics": {**metrics, "segmentation": {"original": {"iou of the data set": masks(0.6, 0.3)}}}})
    found = rows(page)
    assert set(found) == {"class", "Mass (3)", "Nodule (4)", "mean over classes"}
    assert ".60" in found["Mass (3)"]
    assert ".45" in found["mean over classes"]
    assert "point" not in page


def test_boxes_are_where_there_are_no_masks():
    localization = {"point": hits(0.5, 0.2), "box T(IoBB) > 0.25": hits(0.4, 0.1)}
    page = figures({"metrics": {"n_images": 9, "localization": localization, "segmentation": {}}})
    found = rows(page)
    assert found["class"] == "| class | point | box T(IoBB) > 0.25 |"
    assert ".50" in found["Mass (3)"]
    assert ".40" in found["Mass (3)"]
    assert "Edema (0)" not in found


def test_with_neither_the_page_says_so():
    assert figures({"metrics": {"n_images": 9, "localization": {}}}) == (
        "The test images have no masks or boxes to compare with.\n"
    )
