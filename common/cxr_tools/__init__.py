"""Command lines for users, over `cxr_common` and the bundles. What maintainers alone need lies in tools/."""
