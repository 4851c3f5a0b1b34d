"""Whether a picture is an upright frontal chest radiograph at all: by rule, then by a small network."""

from cxr_common.data.picture_test.doubt import DOUBT, doubt_of

__all__ = ["DOUBT", "doubt_of"]
