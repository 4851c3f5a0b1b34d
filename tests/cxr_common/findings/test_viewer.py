"""The page's viewer in a real browser: keys, clicks and sliders change the pixels that they should."""

from __future__ import annotations

import base64
import io
import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from cxr_common.findings.page import Truth, write_report
from tests.cxr_common.findings.test_findings_writer import LABELS, localized, make_writer, save_image

CHROMIUM = os.environ.get("CXR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is missing: apt-get install chromium"),
]
#: The pixels of a pane as PNG, so that they travel fast.
PIXELS = "id => document.getElementById(id).toDataURL('image/png').split(',')[1]"
CHANGE = "(e, v) => {e.value = v; e.dispatchEvent(new Event('input', {bubbles: true}))}"


@pytest.fixture(scope="module")
def browser():
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        # Tests in containers run as root, where Chromium has no sandbox; the page is ours.
        with playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]) as opened:
            yield opened


def make_page(folder, number=3, second=False, truth=False):
    """Images whose Mass is at the top right; the second image has an effusion at the bottom left besides."""
    names = [f"{index}.png" for index in range(number)]

    def run(where, spots):
        make = make_writer(where, input_dir=folder / "in")
        for index, name in enumerate(names):
            make.write_item(localized(save_image(folder / "in" / name), spots(index)))
        make.write_record()
        return where / "out"

    own = run(folder, lambda index: {0: (7, 0)} | ({1: (0, 7)} if index == 1 else {}))
    other = run(folder / "second", lambda _: {1: (0, 0)}) if second else None
    mask = np.zeros((90, 60), bool)
    mask[:30, 40:] = True
    known = {name: Truth({LABELS[1]: mask}, ((LABELS[1], 0, 40, 30, 60),)) for name in names} if truth else None
    write_report(own, folder / "page.html", "Title", (), known, other)
    return folder / "page.html"


@pytest.fixture
def open_page(browser, tmp_path):
    opened = []

    def go(**options):
        page = browser.new_page(viewport={"width": 1280, "height": 1200})
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: errors.append(request.url) if request.url.startswith("http") else None)
        page.goto(make_page(tmp_path, **options).as_uri())
        shown(page, 0)
        opened.append((page, errors))
        return page

    yield go
    for page, errors in opened:
        assert errors == []  # neither a script that fails nor a word to any server
        page.close()


def shown(page, image):
    page.wait_for_selector(f'#viewer[data-shown="{image}"]')
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page, side="left"):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    content = base64.b64decode(page.evaluate(PIXELS, side))
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def colour(picture):
    """Where a picture is in colour."""
    return np.ptp(picture, axis=-1) > 12


def slide(page, name, value):
    page.locator(f"#{name}").evaluate(CHANGE, value)


def test_top_right_is_top_right(open_page):
    page = open_page()
    rows, columns = np.nonzero(colour(pixels(page)))
    height, width = pixels(page).shape[:2]
    assert columns.max() > 0.98 * width and rows.min() < 0.05 * height
    assert not colour(pixels(page))[height // 2 :, : width // 2].any()
    assert not colour(pixels(page, "right")).any()  # the radiograph alone


def test_keys_and_buttons_change_the_image(open_page):
    page = open_page()
    page.keyboard.press("ArrowRight")
    shown(page, 1)
    assert page.locator("#where").inner_text() == "2 of 3"
    picture = pixels(page)
    assert colour(picture)[picture.shape[0] // 2 :, : picture.shape[1] // 2].any()  # its second finding
    page.keyboard.press("ArrowLeft")
    shown(page, 0)
    page.keyboard.press("ArrowLeft")
    shown(page, 2)  # round
    page.click("#next")
    shown(page, 0)
    page.locator("#strip button").nth(1).click()
    shown(page, 1)
    assert page.locator("#strip button").nth(1).get_attribute("aria-selected") == "true"


def test_findings_on_and_off(open_page):
    page = open_page()
    assert colour(pixels(page)).any()
    page.keyboard.press("1")
    assert not colour(pixels(page)).any()
    page.locator("#classes input").first.check()
    assert colour(pixels(page)).any()


def test_heat_and_outlines(open_page):
    page = open_page()
    slide(page, "opacity", 0)
    lines = colour(pixels(page)).sum()
    page.keyboard.press("o")
    assert not colour(pixels(page)).any()
    slide(page, "opacity", 100)
    strong = colour(pixels(page)).sum()
    assert strong > lines > 0
    slide(page, "threshold", 90)
    assert 0 < colour(pixels(page)).sum() < strong
    page.keyboard.press("h")
    assert not colour(pixels(page)).any()


def test_window_level_zoom_and_reset(open_page):
    page = open_page()
    page.select_option("#beside", "")
    first = pixels(page, "right")
    slide(page, "width", 40)
    assert np.ptp(pixels(page, "right")) > np.ptp(first)
    slide(page, "level", 250)
    assert pixels(page, "right").max() == 0
    page.keyboard.press("r")
    np.testing.assert_array_equal(pixels(page, "right"), first)
    page.keyboard.press("+")
    assert (pixels(page, "right") != first).any()
    page.locator("#right").dblclick()
    np.testing.assert_array_equal(pixels(page, "right"), first)


def test_mouse(open_page):
    page = open_page()
    box = page.locator("#left").bounding_box()
    corner = (box["x"] + box["width"] - 2, box["y"] + 2)
    page.mouse.move(*corner)
    page.mouse.wheel(0, -800)
    zoomed = pixels(page, "right")
    assert zoomed[:, -1].mean() > 100  # the bright edge stays under the pointer
    assert zoomed[:, 0].mean() > 100  # and what is dark has left the picture
    page.mouse.down()
    page.mouse.move(corner[0] - 300, corner[1], steps=4)
    page.mouse.up()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 20, steps=4)
    page.mouse.up()
    assert pixels(page, "right")[:, 0].mean() < zoomed[:, 0].mean()
    page.keyboard.press("r")
    before = pixels(page, "right")
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 20, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert np.ptp(pixels(page, "right")) > np.ptp(before)


def test_beside_it(open_page):
    page = open_page(second=True, truth=True)
    assert page.locator("#beside option").all_inner_texts() == ["Truth", "bundle", "The radiograph alone"]
    picture = pixels(page, "right")
    height, width = picture.shape[:2]
    assert colour(picture)[height // 2 :, : width // 2].any() and not colour(picture)[: height // 2].any()
    page.select_option("#beside", "second")
    picture = pixels(page, "right")
    assert colour(picture)[: height // 2, : width // 2].any() and not colour(picture)[:, width * 2 // 3 :].any()
    page.keyboard.press("ArrowRight")
    shown(page, 1)
    assert page.locator("#beside").input_value() == "second"  # the choice stays


def test_without_a_mouse(open_page):
    """Every control can be reached and used by keys alone, and names itself."""
    page = open_page()
    wanted = {
        "previous",
        "next",
        "beside",
        "opacity",
        "threshold",
        "lines",
        "width",
        "level",
        "zoom",
        "reset",
        "left",
        "right",
    }
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.id"))
    assert wanted <= reached
    page.focus("#opacity")
    before = page.locator("#opacity").input_value()
    page.keyboard.press("ArrowRight")
    assert page.locator("#opacity").input_value() != before
    assert page.locator("#viewer").get_attribute("data-shown") == "0"  # the arrows were the slider's
    for name in wanted - {"left", "right"}:
        assert page.locator(f"#{name}").evaluate("e => (e.labels && e.labels.length) || e.textContent.trim() !== ''")


def test_two_hundred_images(open_page, record_property):
    page = open_page(number=200)
    times = []
    for image in range(1, 30):
        start = time.monotonic()
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f'#viewer[data-shown="{image}"]')
        times.append(time.monotonic() - start)
    record_property("median_seconds", float(np.median(times)))
    print(f"median {np.median(times):.3f} s, longest {max(times):.3f} s")
    assert np.median(times) < 1.0


def test_prints_without_the_viewer(open_page, tmp_path):
    page = open_page()
    page.emulate_media(media="print")
    assert not page.locator("#viewer").is_visible()
    assert page.locator("article.card").first.is_visible()
    page.screenshot(path=tmp_path / "print.png")
    assert Image.open(tmp_path / "print.png").size[0] == 1280
