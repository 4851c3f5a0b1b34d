"""docs/reference/commands.md has every command, in the words of the program's own help."""

from __future__ import annotations

import re

from cxr_tools.program import COMMANDS
from tests.golden import REPOSITORY


def test_the_page_lists_what_there_is():
    text = (REPOSITORY / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `cxr (\w+)` \| (.+) \|$", text, re.MULTILINE)
    assert dict(rows) == {name: command.about for name, command in COMMANDS.items()}


def test_what_pages_tell_people_to_type_is_a_command():
    pages = [
        REPOSITORY / "README.md",
        *(REPOSITORY / "docs").rglob("*.md"),
        *REPOSITORY.glob("bundles/*/docs/README.md"),
    ]
    typed = {
        (page.name, name)
        for page in pages
        for name in re.findall(r"(?:^|`)cxr ([a-z]+)", page.read_text("utf-8"), re.M)
    }
    assert typed
    assert not {(page, name) for page, name in typed if name not in COMMANDS}
