"""Networks as files of other runtimes, and networks run by ONNX Runtime."""

from cxr_common.exports.exportable import HeatmapNetwork, exportable, logit_maps
from cxr_common.exports.onnx_file import TOLERANCE, OnnxFile, write_onnx
from cxr_common.exports.onnx_network import OnnxNetwork
from cxr_common.exports.runtime import RUNTIMES, check_runtime, on_runtime

__all__ = [
    "RUNTIMES",
    "TOLERANCE",
    "HeatmapNetwork",
    "OnnxFile",
    "OnnxNetwork",
    "check_runtime",
    "exportable",
    "logit_maps",
    "on_runtime",
    "write_onnx",
]
