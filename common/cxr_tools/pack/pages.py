"""The card of a packed bundle, and the pages of the collection that it speaks of, with links that lead somewhere."""

from __future__ import annotations

import posixpath
import re
from functools import partial
from pathlib import Path

from cxr_common.errors import InputError
from cxr_tools.generated import NOTICE

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_MENTION = re.compile(r"`docs/([\w/-]+\.md)`")
CARD = "README.md"
_FROM_CARD = "../../../docs/"
_COMMANDS = "\n## Commands\n"


def packed_pages(card: str, docs: Path | None, preface: str) -> dict[str, str]:
    """The pages of a zip's ``docs`` folder.

    The pages of the collection's ``docs`` that the card links to or names are packed, and those that they link to.
    Any other relative link, which would be dead, gives way to its text; pictures are left out.

    Args:
        card: text of the card, which lies in ``bundles/NAME/docs``.
        docs: the collection's; without it, of a bundle elsewhere, links to its pages give way to their text too.
        preface: section that is put before the card's commands; at the end, where it has none.

    Raises:
        InputError: the card links to a page that is not there.
    """
    card = card.replace(f"<!-- {NOTICE} -->\n", "")
    if _COMMANDS in card:
        card = card.replace(_COMMANDS, f"\n{preface.strip()}\n{_COMMANDS}").replace("bundles/cxr_", "cxr_")
    else:
        card = f"{card.rstrip()}\n\n{preface.strip()}\n"
    if docs is None:
        return {CARD: _LINK.sub(_without_page, card)}
    pages: dict[str, str] = {}
    waiting = [(CARD, card)]
    while waiting:
        name, text = waiting.pop()
        linked = [_goal(name, target) for _, _, target in _LINK.findall(text)]
        for page in {*(_MENTION.findall(text) if name == CARD else ()), *linked}:
            if page and page not in pages:
                pages[page] = ""
                waiting.append((page, _read(docs / page)))
        pages[name] = _LINK.sub(partial(_packed_link, page=name), text)
    return pages


def _without_page(match: re.Match[str]) -> str:
    return match[0] if re.match(r"[a-z]+:|#", match[3]) else match[2]


def _goal(page: str, link: str) -> str:
    """The page below the collection's ``docs`` that a link of a page there, or of the card, leads to; else ""."""
    path = link.partition("#")[0]
    if page == CARD:
        path = path.removeprefix(_FROM_CARD) if path.startswith(_FROM_CARD) else ".."
    else:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    # The collection's own README.md gives way to the card.
    return path if path.endswith(".md") and not path.startswith("..") and path != CARD else ""


def _read(path: Path) -> str:
    if not path.is_file():
        raise InputError("a packed page speaks of it, and it is not there", path, "mend the page")
    return path.read_text(encoding="utf-8")


def _packed_link(match: re.Match[str], page: str) -> str:
    picture, text, link = match.groups()
    if re.match(r"[a-z]+:|#", link):
        return match[0]
    if not picture and (goal := _goal(page, link)):
        anchor = "".join(link.partition("#")[1:])
        return f"[{text.removeprefix('docs/')}]({posixpath.relpath(goal, posixpath.dirname(page) or '.')}{anchor})"
    return f"({text})" if picture else text
