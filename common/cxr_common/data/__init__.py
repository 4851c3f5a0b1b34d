"""Reading radiographs, datalists, phantoms and loaders."""

from cxr_common.data.datalist import load_datalist, load_labels
from cxr_common.data.datalist_io import read_datalist, write_datalist
from cxr_common.data.datalist_validation import validate_datalist
from cxr_common.data.reader import RadiographReader

__all__ = [
    "RadiographReader",
    "load_datalist",
    "load_labels",
    "read_datalist",
    "validate_datalist",
    "write_datalist",
]
