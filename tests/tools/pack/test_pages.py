from __future__ import annotations

import re

import pytest

from cxr_common.errors import InputError
from tests.bundles.conftest import BUNDLES
from tests.golden import REPOSITORY
from tools.pack.pages import packed_pages

CARD = """# Card

See [docs/explanation/nih.md](../../../docs/nih.md#a), `docs/reference/grey.md` and
[the table](../../../tools/x.yaml). [Home](https://x.org), [up](#card).

## Commands

B=bundles/cxr_a
"""


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "nih.md").write_text("[more](results.md), [set](../tools/y.yaml), ![bars](results/bars.png)", "utf-8")
    (tmp_path / "results.md").write_text("[back](nih.md)", "utf-8")
    (tmp_path / "grey.md").write_text("grey", "utf-8")
    return tmp_path


def test_pages_that_are_linked_or_named_come_along_and_dead_links_go(docs):
    pages = packed_pages(CARD, docs, "## This zip\nhere")
    assert set(pages) == {"README.md", "nih.md", "grey.md", "results.md"}
    card = pages["README.md"]
    assert "[nih.md](nih.md#a)" in card
    assert "the table. [Home](https://x.org), [up](#card)." in card
    assert "\n## This zip\nhere\n\n## Commands\n" in card
    assert "B=cxr_a" in card
    assert pages["nih.md"] == "[more](results.md), set, (bars)"


def test_a_page_that_is_not_there_is_said(docs):
    (docs / "grey.md").unlink()
    with pytest.raises(InputError, match="grey.md"):
        packed_pages(CARD, docs, "")


def test_a_card_without_commands_is_refused(docs):
    with pytest.raises(InputError, match="Commands"):
        packed_pages("# Card", docs, "")


@pytest.mark.parametrize("name", BUNDLES)
def test_no_link_of_a_real_card_is_dead(name):
    card = (REPOSITORY / "bundles" / name / "docs" / "README.md").read_text(encoding="utf-8")
    pages = packed_pages(card, REPOSITORY / "docs", "")
    for page, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path = target.partition("#")[0]
            assert not path or path in pages or re.match(r"https?://", target), f"{page}: {target}"
