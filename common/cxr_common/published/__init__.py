"""Published checkpoints as our networks: ``from_published_pylon(state_dict)``."""

from cxr_common.published.backbone import load_backbone
from cxr_common.published.irn import from_published_irn
from cxr_common.published.pylon import from_published_pylon, pylon_settings

__all__ = ["from_published_irn", "from_published_pylon", "load_backbone", "pylon_settings"]
