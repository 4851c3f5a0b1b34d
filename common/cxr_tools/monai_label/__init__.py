"""What MONAI Label needs: an app and an environment. See docs/how-to/monai_label.md."""
