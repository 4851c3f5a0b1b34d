"""Words of headers for views and body parts: English, German, French, Italian, Spanish, Portuguese, Dutch.

Texts are compared in capitals and without accents, so TÓRAX is TORAX.
"""

from __future__ import annotations

import re
import unicodedata

#: ViewPosition's codes for lateral, oblique and decubitus views.
_CODE = re.compile(r"\b(L-?L|R-?L|LLO|RLO|LAO|RAO|LPO|RPO|LLD|RLD)\b")
#: One-sided, both-sided, on the same or the other side: no view. Nor is a laterality.
_NO_VIEW = re.compile(
    r"(AMBI|BI|UNI|TRI|COL|KOL|CONTRA|CONTRO|KONTRA|IPSI|OMO|HOMO)-?LATERA\w*|LATERALI[TDZ]\w*|BEIDSEIT\w*"
)
#: Patients who lie on their back; "dorsal decubitus" in this order is a lateral beam in English.
_SUPINE = re.compile(r"DECUBIT\w*[ -](EN |EM )?(SUPIN|DORSAL)\w*")
_OTHER_VIEW = re.compile(
    r"(?<![A-Z])[LR]?LAT(?![A-Z])|LATERA|LATERO|PROFIL|PROFIEL|PERFIL|SEITL|SEITENA|ZIJDEL|ZIJAANZ|ZIJWAARTS|\bDWARS"
    + r"|OBLIQ|OBLIC|SCHRAG|SCHRAEG|SCHUIN|DECUB|SEITENL|ZIJLIG|SWIMMER"
)
_FRONTAL_VIEW = re.compile(
    r"(?<![A-Z])(A[. ]?P|P[. ]?A|D[.]?V|V[.]?D)(?![A-Z])|FRONTA|\bFRENTE\b|\bFACE\b|\bFRONTE\b"
    r"|POSTERO-?ANT|ANTERO-?POST|DORSO-?VENT|VENTRO-?DORS|ACHTERVOOR|VOORACHTER"
)
_CHEST = re.compile(
    r"CHEST|\bCXR|THORA|TORAX|TORAC|BRUST|BORST|PECHO|PEITO|PETTO|POITRINE"
    r"|LUNG|PULM|POLMON|POUMON|LONGEN|\bRIB|RIPPE|COST[AEIO]|\bCOTES?\b|HEART|HERZ|\bHART\b|COEUR|CUORE|CORAZON|CORACAO"
    r"|STERN|ESTERN|CLAV|TRUNK|TRONC|TORSO|RUMPF|\bROMP\b|BODY"
)
_SPINE = r"SPINE|SPINAL|WIRBEL|WERVEL|COLUMN|COLUNA|COLONN|RACHIS|RAQUIS|VERTEBR|\b[BHL]WS\b"
_GLAND = r"BREAST|MAMM|DRUSE|DRUESE|KLIER"
_OTHER_PART = re.compile(
    rf"{_SPINE}|{_GLAND}|\bHANDS?\b|\bHAENDE|\bMANOS?\b|\bMANI\b|\bMAOS?\b|\bFOOT|\bFEET|\bFUSS|\bPIEDE?S?\b|\bVOET"
    r"|KNEE|\bKNIE|RODILLA|GINOCCH|GENOU|JOELHO|SKULL|SCHADEL|SCHAEDEL|SCHEDEL|CRAN[EIO]|PELVI|BECKEN|BACIN|BASSIN|BEKKEN"
    r"|ABDOM|ADDOM|BAUCH|\bBUIK|\bHIPS?\b|HUFT|HUEFT|HANCHE|CADERA|\bANCA|QUADRIL|\bHEUP|ANKLE|TOBILLO|CAVIGLI|CHEVILLE"
    r"|TORNOZELO|\bENKEL|WRIST|HANDGELENK|MUNECA|POLSO|POIGNET|PUNHO|\bPOLS\b|ELBOW|ELLENBOG|ELLBOG|CODO\b|GOMITO|COUDE"
    r"|COTOVELO|ELLEBOOG|SHOULDER|SCHULTER|HOMBRO|SPALLA|EPAULE|OMBRO|SCHOUDER"
)


def plain(text: str) -> str:
    """A header's text in capitals, without accents and underscores."""
    decomposed = unicodedata.normalize("NFKD", text.upper())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("_", " ").strip()


def is_other_view(view: str) -> bool:
    """Whether a ViewPosition or a view code's meaning says lateral, oblique or decubitus."""
    alone = plain(view).strip(" .") in ("L", "R")
    return alone or bool(_CODE.search(plain(view)) or _OTHER_VIEW.search(_views_of(view)))


def describes_other_view(description: str) -> bool:
    """The same of a free text, in which a code counts beside a word for the chest ("Torace LL").

    The description of a series of both views ("PA and lateral") tells nothing of one image.
    """
    text = _views_of(description)
    other = bool(_OTHER_VIEW.search(text)) or is_chest(text) and bool(_CODE.search(text))
    return other and not _FRONTAL_VIEW.search(text)


def _views_of(text: str) -> str:
    return _SUPINE.sub(" ", _NO_VIEW.sub(" ", plain(text)))


def is_chest(body_part: str) -> bool:
    """Whether a BodyPartExamined can mean a chest radiograph; the thoracic spine and the breast do not."""
    text = plain(body_part)
    return bool(_CHEST.search(text)) and not re.search(f"{_SPINE}|{_GLAND}", text)


def other_part(description: str) -> str:
    """The body part that a free text names, where it names one and the chest not; else ""."""
    found = None if is_chest(description) else _OTHER_PART.search(plain(description))
    return found[0] if found else ""
