"""Reading radiographs, datalists, phantoms and loaders."""

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
