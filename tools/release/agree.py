"""Whether all that a release says agrees: versions, changelogs, configs, tables, hashes, terms."""

from __future__ import annotations

import re
from pathlib import Path

import cxr_common
import cxr_verify
from cxr_common.errors import InputError
from cxr_common.files import file_sha256
from cxr_common.json_files import read_json
from cxr_tools.yaml_files import read_yaml
from tools.bundles.generate import RESULTS, generate
from tools.release.facts import read_hub, read_record, values
from tools.results.render import PAGES, render_page

#: Words of a metadata.json's data_source -> what data_license.txt has to speak of.
_SOURCES = ("NIH ChestX-ray14", "ImageNet", "ieee8023", "phantoms")


def check_package(repository: Path, final: bool) -> None:
    """The package's version, its changelog and the tables of README, cards and docs.

    Args:
        repository: folder of the checkout.
        final: the changelog must have a section of this version on top; else its lines may still be "Unreleased".

    Raises:
        InputError: something does not agree; the first that was found.
    """
    own = cxr_common.__version__
    citation = repository / "CITATION.cff"
    for where, version in (
        (citation, read_yaml(citation)["version"]),
        ("cxr_verify.__version__", cxr_verify.__version__),
    ):
        if str(version) != own:
            raise InputError(f"has the version {version}, and the package has {own}", where, "make them agree")
    changelog = repository / "CHANGELOG.md"
    sections = re.findall(r"^## \[?([\w.]+)", changelog.read_text(encoding="utf-8"), re.MULTILINE)
    if sections[:1] != [own] and (final or sections[:1] != ["Unreleased"] or own in sections):
        raise InputError(
            f"begins with {sections[0] if sections else 'no section'}, and the package has the version {own}",
            changelog,
            f"put the lines of this release under `## {own} - DATE`, or raise the version of the package",
        )
    for page in PAGES:
        text = (repository / page).read_text(encoding="utf-8")
        if render_page(text, RESULTS) != text:
            raise InputError("shows other figures than docs/results", repository / page, "make tables")


def check_bundle(bundle: Path) -> None:
    """A bundle's configs, card, weights, thresholds and terms.

    Args:
        bundle: its folder, with a bundle.yaml.

    Raises:
        InputError: something does not agree; the first that was found.
    """
    for path, text in generate(bundle).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            raise InputError("is not what bundle.yaml and the templates make", path, "make bundles")
    hub = read_hub(bundle)
    record = read_record(hub)
    values(hub, record)
    scored, file = record["weights_sha256"].get(hub.measured.weights), f"docs/results/{hub.measured.file}.json"
    weights = bundle / "models" / "model.pt"
    if file_sha256(weights) != scored:
        raise InputError(f"is not {hub.measured.weights}, which {file} scored", weights, "make results, or ship that")
    for path in sorted((bundle / "models").rglob("thresholds.json")):
        if read_json(path, "tune it again").get("weights_sha256") != file_sha256(path.with_name("model.pt")):
            raise InputError("was tuned for other weights than those beside it", path, "train or evaluate again")
    source = read_json(bundle / "configs" / "metadata.json", "make bundles")["data_source"]
    terms = bundle / "docs" / "data_license.txt"
    told = terms.read_text(encoding="utf-8").lower()
    for word in _SOURCES:
        if word in source and word.lower() not in told:
            raise InputError(f"does not speak of {word}, which data_source names", terms, "state its source and terms")
