"""Ask a bundle's configuration whether its run can work, before the first image is read."""

from __future__ import annotations

from cxr_common.start.options import refuse_unknown_options
from cxr_common.start.running import is_used, running_workflow, used_ids
from cxr_common.start.table import CHECKS


def check_start() -> None:
    """Refuse unknown options, then make every check of the table whose ids the running workflow uses.

    Outside of a workflow nothing is checked.

    Raises:
        InputError: the first thing that cannot work.
    """
    workflow = running_workflow()
    if workflow is None:
        return
    refuse_unknown_options(workflow)
    used = used_ids(workflow)

    def has(id: str) -> bool:
        return id in workflow.parser and is_used(id, used)

    for row in CHECKS:
        if all(map(has, (*row.ids, *row.beside))) and not any(map(has, row.without)):
            row.check(*(workflow.parser.get_parsed_content(id) for id in row.ids))
