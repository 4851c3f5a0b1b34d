"""The page of a datalist, in one HTML file that needs no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from cxr_common.data.datalist_schema import SECTIONS
from cxr_common.files import write_text
from cxr_common.findings.palette import class_colour
from cxr_common.text import printable
from cxr_tools.prepare.look.cautions import Entry, co_occurrence, find_cautions, label_counts
from cxr_tools.prepare.look.fingerprint import Fingerprint
from cxr_tools.prepare.look.sheet import contact_sheet

#: Sizes of images that are listed; the rest is counted.
_SIZES = 12


def write_page(
    entries: Sequence[Entry], labels: list[str], prints: Sequence[Fingerprint], root: Path, page: Path, count: int
) -> dict[str, int]:
    """Write the page.

    Args:
        entries: (section, item) of each image.
        labels: class names.
        prints: of each image.
        root: data set root.
        page: the HTML file.
        count: pictures of each class and section.

    Returns:
        Title of each kind of trouble -> how often it occurs.
    """
    sections = [name for name in SECTIONS if any(section == name for section, _ in entries)]
    cautions = find_cautions(entries, prints, root)
    table = co_occurrence(entries, labels)
    sizes = Counter(found.size for found in prints if found.size)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(("html", "j2")),
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("look.html.j2").render(
        title=f"{page.stem}: what is in it",
        sections=sections,
        totals=[_totals(entries, section) for section in sections],
        labels=labels,
        colours=["#{:02x}{:02x}{:02x}".format(*class_colour(index)) for index in range(len(labels))],
        counts=label_counts(entries, labels),
        cautions=cautions,
        together=[[(n, n / max(row[i], 1)) for n in row] for i, row in enumerate(table)],
        views=_by_section(entries, sections, "view"),
        sources=_by_section(entries, sections, "source"),
        sizes=sizes.most_common(_SIZES),
        other_sizes=sum(sizes.values()) - sum(n for _, n in sizes.most_common(_SIZES)),
        sheet=contact_sheet(entries, labels, sections, count, root),
    )
    write_text(html, page)
    return {caution.title: len(caution.lines) for caution in cautions}


def _totals(entries: Sequence[Entry], section: str) -> dict[str, int]:
    items = [item for of, item in entries if of == section]
    return {
        "images": len(items),
        "patients": len({str(item["patient"]) for item in items if item.get("patient") is not None}),
        "boxes": sum(len(item.get("boxes", [])) for item in items),
        "images with masks": sum("mask" in item for item in items),
    }


def _by_section(entries: Sequence[Entry], sections: Sequence[str], key: str) -> list[tuple[str, list[int]]]:
    counts: dict[str, Counter[str]] = {}
    for section, item in entries:
        counts.setdefault(str(item.get(key, "not said")), Counter())[section] += 1
    return [(name, [found[section] for section in sections]) for name, found in sorted(counts.items())]


def entries_of(data: dict[str, Any]) -> list[Entry]:
    """(section, item) of every image of a datalist."""
    return [(section, item) for section in SECTIONS for item in data.get(section, [])]
