"""Reading radiographs, datalists, phantoms and loaders."""

from typing import TYPE_CHECKING

from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.data.datalist import images_of, load_datalist, load_labels
    from cxr_common.data.datalist_io import read_datalist, write_datalist
    from cxr_common.data.datalist_validation import validate_datalist
    from cxr_common.data.discovery import find_radiographs
    from cxr_common.data.loader import Failure, RadiographLoader
    from cxr_common.data.orientation import boxes_to_stored, to_stored
    from cxr_common.data.reader import RadiographReader, read_picture
    from cxr_common.data.scan import RadiographWarning

__all__ = [
    "Failure",
    "RadiographLoader",
    "RadiographReader",
    "RadiographWarning",
    "boxes_to_stored",
    "find_radiographs",
    "images_of",
    "load_datalist",
    "load_labels",
    "read_datalist",
    "read_picture",
    "to_stored",
    "validate_datalist",
    "write_datalist",
]

# What a datalist may hold can be asked without torch, as the help of command lines does.
__getattr__ = lazy_attributes(
    __name__,
    {
        "Failure": "loader",
        "RadiographLoader": "loader",
        "RadiographReader": "reader",
        "RadiographWarning": "scan",
        "boxes_to_stored": "orientation",
        "find_radiographs": "discovery",
        "images_of": "datalist",
        "load_datalist": "datalist",
        "load_labels": "datalist",
        "read_datalist": "datalist_io",
        "read_picture": "reader",
        "to_stored": "orientation",
        "validate_datalist": "datalist_validation",
        "write_datalist": "datalist_io",
    },
)
