"""Bundles in MONAI Deploy. Its SDK is imported only by these modules, and is no dependency of this package."""
