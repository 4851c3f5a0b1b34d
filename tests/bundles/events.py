"""What a training wrote for TensorBoard."""

from __future__ import annotations

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def event_tags(run: Path) -> dict[str, list[str]]:
    """Tags of "scalars" and "images" in a run's events."""
    tags = EventAccumulator(str(run / "events")).Reload().Tags()
    return {kind: tags[kind] for kind in ("scalars", "images")}
