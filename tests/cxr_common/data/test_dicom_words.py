"""Words of headers, language by language."""

from __future__ import annotations

import pytest

from cxr_common.data.dicom_words import describes_other_view, is_chest, is_other_view, other_part

LATERAL = """LATERAL, lateral, LAT, L-LAT, LLAT, RLAT, LL, RL, L-L, L, R, Left_Lateral, latero-lateral, Latéral,
latérale, profil, Profil gauche, de profil, perfil, Tórax perfil, Laterale, latero-laterale, profilo,
seitlich, Thorax seitl., Seitenaufnahme, zijdelings, lateraal, dwarse opname, profiel, Profilaufnahme, LAT.,
PERFIL ESQUERDO, lateral izquierda, LAT1, Lateralis"""
OBLIQUE = "RAO, LPO, OBLIQUE, oblicua, obliqua, schräg, schuin, LLD, decubitus, Linksseitenlage, zijligging, SWIMMER"
DESCRIBED = """Torace LL, RX TORACE L-L, Torace laterale, Rx tórax lateral, Radiographie du thorax de profil,
Thorax links seitlich, THORAX_LAT, X-thorax lateraal, X-thorax zijdelings, Raio-X de tórax em perfil,
Chest left lateral"""
FRONTAL = """PA, AP, P.A., A.P., frontal, FRONTALE, de face, Thorax p.a., POSTERO-ANTERIOR, ventro-dorsal, COLLATERAL,
unilateral, bilateral, bi-lateral, BILATERALE, bilatéral, contralateral, ipsilateral, collateraal,
unilateraal, beidseitig, laterality, lateralidad, Lateralität, LATERALITÀ, PLATE, DILATATION, relative,
translation"""
NOT_LATERAL = """Thorax p.a. und seitlich, PA and lateral, Tórax PA y lateral, Torace PA e LL,
thorax de face et de profil, Tórax frente e perfil, Tórax en decúbito supino, Rx tórax decúbito dorsal,
Ileus collateral,
Chest with unilateral drain, drenaje bilateral, Thorax beidseits, Left chest, R Lung, LL RL FLAT, Chest L"""
CHEST = """CHEST, THORAX, TORAX, TÓRAX, tórax, TORACE, PECHO, PEITO, PETTO, BRUST, BRUSTKORB, POITRINE, BORST,
BORSTKAS, LUNG, LUNGE, PULMON, Pulmão, polmoni, poumons, longen, RIBS, RIPPEN, costillas, coste, STERNUM,
HEART, TORSO, CHESTABDOMEN, HEMITHORAX, CXR, CXR PORTABLE"""
OTHER = """HAND, FOOT, KNEE, SKULL, ABDOMEN, PELVIS, BREAST, MANO, PIED, RODILLA, GINOCCHIO, SCHÄDEL, BECKEN, BUIK,
TSPINE, THORACIC SPINE, Brustwirbelsäule, columna torácica, colonna toracica, coluna torácica,
rachis thoracique, borstwervels, Brustdrüse, mammella"""
NAMED = """Hand dorsopalmar, Knie links, rodilla AP, ginocchio, cheville gauche, Becken, tobillo, Schulter, skull,
coluna lombar, enkel rechts, Elbow, cráneo, HWS, Addome"""
UNNAMED = """Handheld study, Thorax p.a., Chest and abdomen, Behandlung, main series, Portable, Raio-X de tórax,
Standard, Polska"""


def words(table: str) -> list[str]:
    """Entries of a table above."""
    return [" ".join(entry.split()) for entry in table.split(",")]


@pytest.mark.parametrize("view", [*words(LATERAL), *words(OBLIQUE)])
def test_views_that_are_not_frontal(view):
    assert is_other_view(view)


@pytest.mark.parametrize("view", [*words(FRONTAL), ""])
def test_views_that_are_not_said_to_be_lateral(view):
    assert not is_other_view(view) and not describes_other_view(view)


@pytest.mark.parametrize("description", words(DESCRIBED))
def test_descriptions_of_lateral_views(description):
    assert describes_other_view(description)


@pytest.mark.parametrize("description", words(NOT_LATERAL))
def test_descriptions_of_both_views_or_of_none(description):
    assert not describes_other_view(description)


@pytest.mark.parametrize(("table", "chest"), [(CHEST, True), (OTHER, False)], ids=["chest", "other"])
def test_body_parts(table, chest):
    assert [part for part in words(table) if is_chest(part) is not chest] == []


def test_parts_in_descriptions():
    assert [text for text in words(NAMED) if not other_part(text)] == []
    assert [text for text in words(UNNAMED) if other_part(text)] == []
