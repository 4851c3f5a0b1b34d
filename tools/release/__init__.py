"""What a release gives away, made ready and checked, and pushed nowhere: `make release`, see docs/how-to/release.md."""
