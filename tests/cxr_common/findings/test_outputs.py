import pytest

from cxr_common.dicom_results import KINDS
from cxr_common.errors import InputError
from cxr_common.findings import PngMasks
from cxr_common.findings.case_writer import RunWriter
from cxr_common.findings.outputs import DEFAULT_OUTPUTS, OUTPUTS, chosen_writers

LABELS = ("Mass", "Pleural effusion")


class Listing(RunWriter):
    """Refers to masks."""

    file = "list.txt"
    reads = frozenset({"masks"})

    def write(self, record, folder):
        (folder / self.file).write_text("")


def chosen(outputs, own=None, has=("heatmap", "masks")):
    return chosen_writers(outputs, own or {}, has, LABELS)


def test_all_outputs_together():
    writers = chosen(tuple(OUTPUTS))
    assert [writer.kind for writer in writers.of_cases] == ["heatmap", "overlay", "masks", "masks_png", *KINDS]
    assert [writer.file for writer in writers.of_run] == ["findings.json"]


def test_the_order_is_that_of_the_choice_and_own_outputs_join():
    writers = chosen(["more", "list", "png", "json"], {"more": PngMasks("masks"), "list": Listing()})
    assert [writer.kind for writer in writers.of_cases] == ["masks", "overlay"]
    assert [writer.file for writer in writers.of_run] == ["list.txt", "findings.json"]


@pytest.mark.parametrize("name", [name for name in OUTPUTS if name != "json"])
def test_every_file_name_begins_with_the_case(name):
    (writer,) = chosen(["json", name]).of_cases
    files = writer.names("ward__a", LABELS)
    assert files
    assert all(file.startswith("ward__a_") for file in files)


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        (["json", "gif"], "there is no output gif"),
        ("json", "is 'json'"),
        ([], "is \\[\\]"),
        (["png"], "is \\['png'\\]"),
        (["json", "png", "png"], "is \\["),
        (["json", ["png"]], "there is no output"),
    ],
)
def test_a_choice_that_names_no_outputs_is_refused_with_those_there_are(outputs, reason):
    with pytest.raises(InputError, match=reason) as error:
        chosen(outputs)
    assert "npz, png, nifti, mask_png" in str(error.value)
    with pytest.raises(
        InputError, match="any of png, dicom_sr, dicom_gsps, dicom_sc$"
    ):  # of those that a bundle of boxes can have
        chosen(outputs, has=())


def test_an_output_that_the_bundle_has_nothing_for_is_refused():
    with pytest.raises(InputError, match="nifti needs masks, which this bundle does not make"):
        chosen(["json", "png", "nifti"], has=())
    with pytest.raises(InputError, match="npz needs heatmap"):
        chosen(DEFAULT_OUTPUTS, has=("masks",))


def test_a_file_that_refers_to_files_not_written_is_refused():
    with pytest.raises(InputError, match="list refers to files of masks"):
        chosen(["json", "list"], {"list": Listing()})


@pytest.mark.parametrize("own", [PngMasks("masks"), PngMasks("more")], ids=["kind", "files"])
def test_two_outputs_of_the_same_files_are_refused(own):
    with pytest.raises(InputError, match="write the same files"):
        chosen(["json", "nifti", "mask_png", "mine"], {"mine": own})
