"""What files say that `make bundles` has written."""

NOTICE = "Written by `make bundles` from bundle.yaml and tools/bundles/templates: change those, not this file."


def without_notice(text: str) -> str:
    """A generated YAML file's text without its first line, for a copy that is no longer generated."""
    return text.removeprefix(f"# {NOTICE}\n")
