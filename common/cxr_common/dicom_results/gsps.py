"""Outlines, boxes and names over the source as a Grayscale Softcopy Presentation State."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from highdicom import PresentationLUTTransformation
from highdicom.color import CIELabColor
from highdicom.pr import GraphicAnnotation, GraphicLayer, GraphicObject, TextObject
from highdicom.pr import GrayscaleSoftcopyPresentationState as Gsps
from pydicom.dataset import Dataset

from cxr_common.dicom_results.equipment import UNVERIFIED, finish, series_arguments
from cxr_common.dicom_results.image_result import Finding, ImageResult
from cxr_common.dicom_results.mask_outlines import outlines
from cxr_common.dicom_results.result_uids import ResultUids
from cxr_common.dicom_results.source_image import NoResult, SourceImage
from cxr_common.dicom_results.text_values import fitting

KIND = "dicom_gsps"


def make_gsps(result: ImageResult, source: SourceImage, uids: ResultUids) -> Dataset:
    """Make a presentation state with one layer per finding that is present, and a sentence that says what it is.

    Raises:
        NoResult: the source is in colour, which this kind of object cannot show.
    """
    photometric = source.reference.PhotometricInterpretation
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise NoResult(f"the image is {photometric}, and a grayscale presentation state shows grey images alone")
    present = [finding for finding in result.findings if finding.decision]
    layers = [GraphicLayer("AI_NOTICE", order=1, description="What this is")]
    annotations = [_notice(result, source, layers[0], bool(present))]
    for number, finding in enumerate(present, 2):
        # Layer names are code strings, so the class is in the description.
        layer = GraphicLayer(
            f"AI_{number - 1}",
            order=number,
            description=fitting(finding.label, source.character_set),
            display_color=CIELabColor.from_rgb(*finding.colour),
        )
        layers.append(layer)
        graphics, texts = list(_graphics(finding, source)), list(_names(finding, source))
        if graphics or texts:
            annotations.append(
                GraphicAnnotation([source.reference], layer, graphic_objects=graphics, text_objects=texts)
            )
    arguments = series_arguments(KIND, source, result.model, uids)
    state = Gsps(
        referenced_images=[source.reference],
        content_label="AI_FINDINGS",
        content_description=fitting(UNVERIFIED, source.character_set),
        graphic_annotations=annotations,
        graphic_layers=layers,
        presentation_lut_transformation=PresentationLUTTransformation(
            presentation_lut_shape="INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"
        ),
        **arguments,
    )
    state.BodyPartExamined = "CHEST"  # else the standard asks for a laterality
    _set_pixel_shape(state, source)
    return finish(state, source)


def _set_pixel_shape(state: Dataset, source: SourceImage) -> None:
    """Say how far apart pixels are, so that pixels that are no squares are shown as they are (PS3.3 C.10.4)."""
    area = state.DisplayedAreaSelectionSequence[0]
    area.PixelOriginInterpretation = "FRAME"
    ratio = source.dataset.get("PixelAspectRatio")
    if source.spacing is not None:
        del area.PresentationPixelAspectRatio
        area.PresentationPixelSpacing = [source.spacing[1], source.spacing[0]]
    elif ratio and len(ratio) == 2 and all(int(part) > 0 for part in ratio):
        area.PresentationPixelAspectRatio = [int(part) for part in ratio]


def _notice(result: ImageResult, source: SourceImage, layer: GraphicLayer, any_present: bool) -> GraphicAnnotation:
    columns, rows = source.reference.Columns, source.reference.Rows
    words = "" if any_present else " No finding above its threshold."
    text = f"{UNVERIFIED} Research use only. {result.model.name} {result.model.version}.{words}"
    text = fitting(text, source.character_set, 1024)
    box = (0.0, max(rows * 0.95, 0.0), float(columns), float(rows))
    notice = TextObject(text, units="PIXEL", bounding_box=box, text_justification="LEFT")
    return GraphicAnnotation([source.reference], layer, text_objects=[notice])


def _graphics(finding: Finding, source: SourceImage) -> Iterator[GraphicObject]:
    if finding.mask is not None:
        for outline in outlines(source.mask(finding.mask)):
            yield GraphicObject("POLYLINE", outline, units="PIXEL")
    for region in finding.regions:
        x0, y0, x1, y1 = source.box(region.box)
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)])
        yield GraphicObject("POLYLINE", corners, units="PIXEL")


def _names(finding: Finding, source: SourceImage) -> Iterator[TextObject]:
    boxes = [source.box(region.box) for region in finding.regions[:1]]
    places = [((x0 + x1) / 2, y0) for x0, y0, x1, _ in boxes]
    if not places and finding.point is not None:
        places = [source.point(finding.point)]
    label = fitting(finding.label, source.character_set)
    name = label if finding.probability is None else f"{label} {finding.probability:.2f}"
    for place in places:
        yield TextObject(name, units="PIXEL", anchor_point=place, anchor_point_visible=True)
