"""Published checkpoints as our networks: ``published.pylon(state_dict)``."""

from cxr_common.published.backbone import load_backbone
from cxr_common.published.irn import irn
from cxr_common.published.pylon import pylon, pylon_settings

__all__ = ["irn", "load_backbone", "pylon", "pylon_settings"]
