"""The card of a packed bundle, and the pages of the collection that it speaks of, with links that lead somewhere."""

from __future__ import annotations

import posixpath
import re
from functools import partial
from pathlib import Path

from cxr_common.errors import InputError

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_MENTION = re.compile(r"`docs/(\w+\.md)`")
_COMMANDS = "\n## Commands\n"


def packed_pages(card: str, docs: Path, preface: str) -> dict[str, str]:
    """The pages of a zip's ``docs`` folder.

    The pages of the collection's ``docs`` that the card links to or names are packed, and those that they link to.
    Any other relative link, which would be dead, gives way to its text; pictures are left out.

    Args:
        card: text of the card, which lies in ``bundles/NAME/docs``.
        docs: the collection's.
        preface: section that is put before the card's commands.

    Raises:
        InputError: the card has no section of commands, or links to a page that is not there.
    """
    if _COMMANDS not in card:
        raise InputError('has no section "Commands"', "docs/README.md", "give the card one")
    card = card.replace(_COMMANDS, f"\n{preface.strip()}\n{_COMMANDS}").replace("bundles/cxr_", "cxr_")
    pages: dict[str, str] = {}
    waiting = [("README.md", card, "../../../docs/")]
    while waiting:
        name, text, prefix = waiting.pop()
        named = _MENTION.findall(text) if name == "README.md" else []
        linked = [target[2].removeprefix(prefix) for target in _LINK.findall(text) if target[2].startswith(prefix)]
        for page in {*named, *(path.partition("#")[0] for path in linked)}:
            if _is_page(page) and page not in pages and page != "README.md":
                pages[page] = ""
                waiting.append((page, _read(docs / page), ""))
        pages[name] = _LINK.sub(partial(_packed_link, prefix=prefix), text)
    return pages


def _is_page(path: str) -> bool:
    return path.endswith(".md") and "/" not in path


def _read(path: Path) -> str:
    if not path.is_file():
        raise InputError("a packed page speaks of it, and it is not there", path, "mend the page")
    return path.read_text(encoding="utf-8")


def _packed_link(match: re.Match[str], prefix: str) -> str:
    picture, text, target = match.groups()
    if re.match(r"[a-z]+:|#", target):
        return match[0]
    path = posixpath.normpath(target.removeprefix(prefix)) if target.startswith(prefix) else ".."
    if not picture and _is_page(path.partition("#")[0]):
        return f"[{text.removeprefix('docs/')}]({path})"
    return f"({text})" if picture else text
