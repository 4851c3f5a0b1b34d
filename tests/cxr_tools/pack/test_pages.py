from __future__ import annotations

import posixpath
import re

import pytest

from cxr_common.errors import InputError
from cxr_tools.pack.pages import packed_pages
from tests.bundles.conftest import BUNDLES
from tests.golden import REPOSITORY

CARD = """# Card

See [nih.md](../../../docs/explanation/nih.md#a), `docs/reference/grey.md` and
[the table](../../../tools/x.yaml). [Home](https://x.org), [up](#card).

## Commands

B=bundles/cxr_a
"""


@pytest.fixture
def docs(tmp_path):
    for folder in ("explanation", "reference"):
        (tmp_path / folder).mkdir()
    nih = "[more](results.md), [home](../README.md), [set](../../tools/y.yaml), ![bars](../results/bars.png)"
    (tmp_path / "explanation" / "nih.md").write_text(nih, "utf-8")
    (tmp_path / "explanation" / "results.md").write_text("[grey](../reference/grey.md#b)", "utf-8")
    (tmp_path / "reference" / "grey.md").write_text("grey", "utf-8")
    (tmp_path / "README.md").write_text("the collection's", "utf-8")
    return tmp_path


def test_pages_that_are_linked_or_named_come_along_and_dead_links_go(docs):
    pages = packed_pages(CARD, docs, "## This folder\nhere")
    assert set(pages) == {"README.md", "explanation/nih.md", "reference/grey.md", "explanation/results.md"}
    card = pages["README.md"]
    assert "](explanation/nih.md#a)" in card
    assert "the table. [Home](https://x.org), [up](#card)." in card
    assert "\n## This folder\nhere\n\n## Commands\n" in card
    assert "B=cxr_a" in card
    assert pages["explanation/nih.md"] == "[more](results.md), home, set, (bars)"
    assert pages["explanation/results.md"] == "[grey](../reference/grey.md#b)"


def test_a_page_that_is_not_there_is_said(docs):
    (docs / "reference" / "grey.md").unlink()
    with pytest.raises(InputError, match="grey.md"):
        packed_pages(CARD, docs, "")


def test_a_card_without_commands_says_what_the_zip_is_at_its_end(docs):
    assert packed_pages("# Card\n", docs, "## This folder\nhere")["README.md"] == "# Card\n\n## This folder\nhere\n"


def test_elsewhere_links_to_the_collections_pages_are_their_text():
    pages = packed_pages(CARD, None, "")
    assert list(pages) == ["README.md"]
    assert (
        "See nih.md, `docs/reference/grey.md` and\nthe table. [Home](https://x.org), [up](#card)." in pages["README.md"]
    )


@pytest.mark.parametrize("name", BUNDLES)
def test_no_link_of_a_real_card_is_dead(name):
    card = (REPOSITORY / "bundles" / name / "docs" / "README.md").read_text(encoding="utf-8")
    pages = packed_pages(card, REPOSITORY / "docs", "")
    for page, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path = target.partition("#")[0]
            goal = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
            assert not path or goal in pages or re.match(r"https?://", target), f"{page}: {target}"
