"""What MONAI Label needs: an app and an environment. See docs/monai_label.md."""
