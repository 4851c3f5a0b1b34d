"""What makes each bundle itself, and the templates of each kind: ``python -m tools.bundles``."""
