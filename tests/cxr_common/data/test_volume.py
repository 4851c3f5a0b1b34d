"""NIfTI, MetaImage and NRRD: geometry by hand and by ITK, volumes refused."""

import gzip
import shutil

import itk
import nibabel
import numpy as np
import pytest

from cxr_common.data import boxes_to_stored, find_radiographs, to_stored
from cxr_common.errors import InputError
from tests.image_files import MARKER_BOX, marker_corner, marker_picture, read_image, write_itk, write_nifti

OURS = np.diag([-0.2, -0.3, 1, 1])
pytestmark = pytest.mark.filterwarnings("ignore:builtin type")  # SWIG's, once more at each import of ITK
TENSOR = marker_picture().T  # (x, y), as a NIfTI array is indexed


@pytest.mark.parametrize("name", ["i.nii", "i.nii.gz"])
@pytest.mark.parametrize("shape", [(60, 40), (60, 40, 1), (60, 40, 1, 1), (1, 60, 40)])
def test_nifti_of_one_slice(tmp_path, name, shape):
    affine = OURS if shape[0] != 1 else np.array([[0, -0.2, 0, 0], [0, 0, -0.3, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    image, meta = read_image(write_nifti(tmp_path / name, TENSOR.reshape(shape), affine))
    assert marker_corner(image) == MARKER_BOX
    np.testing.assert_allclose(image, TENSOR / 255, atol=1e-6)
    assert meta["spacing"] == pytest.approx([0.2, 0.3]) and meta["spacing_source"] == "pixdim"
    np.testing.assert_allclose(meta["affine"], OURS, atol=1e-6)
    assert (meta["stored_axes"], meta["file_format"], meta["intensity_source"]) == ("+x+y", "NIfTI", "dtype")


@pytest.mark.parametrize(
    ("affine", "code"),
    [
        (np.diag([-0.2, -0.3, 1, 1]), "+x+y"),  # left, posterior: ITK's identity
        (np.diag([0.2, -0.3, 1, 1]), "-x+y"),
        (np.diag([-0.2, 0.3, 1, 1]), "+x-y"),
        (np.diag([0.2, 0.3, 1, 1]), "-x-y"),
        (np.array([[-0.2, 0, 0, 5], [0, 0, 1, 0], [0, -0.3, 0, 9], [0, 0, 0, 1]]), "+x+y"),  # coronal: left, feet
        (np.array([[-0.2, 0, 0, 5], [0, 0, 1, 0], [0, 0.3, 0, 9], [0, 0, 0, 1]]), "+x-y"),  # coronal: left, head
        (np.array([[0, -0.2, 0, 0], [-0.3, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "+y+x"),  # posterior, left
        (np.array([[-0.2, 0.01, 0, 0], [0.01, -0.3, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "+x+y"),  # a little tilted
        (np.eye(4), "+x+y"),  # says nothing
        (None, "+x+y"),  # no orientation at all
    ],
)
def test_nifti_orientation(tmp_path, affine, code):
    stored = np.ascontiguousarray(to_stored(TENSOR, code))
    image, meta = read_image(write_nifti(tmp_path / "i.nii", stored[..., None], affine))
    assert meta["stored_axes"] == code
    assert marker_corner(image) == MARKER_BOX
    assert marker_corner(stored / 255) == tuple(boxes_to_stored(np.array([MARKER_BOX]), (60, 40), code)[0])
    if affine is None or np.array_equal(affine, np.eye(4)):
        assert np.isnan(meta["spacing"]).all()
    else:
        assert meta["spacing"] == pytest.approx([0.2, 0.3], abs=1e-3)


def test_sagittal_slice_is_a_lateral_view(tmp_path):
    affine = np.array([[0, 0, 1, 0], [-0.2, 0, 0, 0], [0, -0.3, 0, 0], [0, 0, 0, 1]])
    path = write_nifti(tmp_path / "i.nii", TENSOR[..., None], affine)
    with pytest.raises(InputError, match="sagittal"):
        read_image(path)
    assert marker_corner(read_image(path, any_view=True)[0]) == MARKER_BOX


def test_wider_integers_are_scaled_by_percentiles(tmp_path):
    ramp = (np.arange(1000).reshape(50, 20) + 100).astype("uint16")  # 12 bits in 16, as detectors have it
    image, meta = read_image(write_nifti(tmp_path / "i.nii", ramp, OURS))
    assert (meta["intensity_low"], meta["intensity_high"]) == pytest.approx((104.995, 1094.005))
    assert image[25, 0] == pytest.approx((600 - 104.995) / (1094.005 - 104.995), abs=1e-6)


def test_scaled_integers_and_units(tmp_path):
    nifti = nibabel.Nifti1Image(np.arange(1000, dtype="int16").reshape(50, 20), np.diag([-200.0, -300.0, 1, 1]))
    nifti.header.set_slope_inter(2.0, -100.0)
    nifti.header.set_xyzt_units("micron")
    nibabel.save(nifti, tmp_path / "i.nii")
    _, meta = read_image(tmp_path / "i.nii")
    assert meta["spacing"] == pytest.approx([0.2, 0.3])
    assert meta["intensity_low"] == pytest.approx(2 * 4.995 - 100)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, np.inf), (1.0, np.nan), (2.0, -np.inf)])
def test_scaling_that_is_no_number(tmp_path, slope, intercept):
    path = write_nifti(tmp_path / "i.nii", TENSOR, OURS)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([slope, intercept], "<f4").tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"the header is invalid \(.*intercept"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["nii", "tif"])
def test_pixels_that_are_not_numbers_are_the_images_fault(tmp_path, suffix):
    import tifffile

    picture = np.full((20, 30), np.nan, "float32")
    path = tmp_path / f"i.{suffix}"
    write_nifti(path, picture.T, OURS) if suffix == "nii" else tifffile.imwrite(path, picture)
    with pytest.raises(InputError, match="100% of the pixels are NaN"):
        read_image(path)
    picture[:] = np.arange(600).reshape(20, 30) * 1e36
    picture[0, 0] = np.inf
    write_nifti(path, picture.T, OURS) if suffix == "nii" else tifffile.imwrite(path, picture)
    image, meta = read_image(path)
    assert np.isfinite(image).all() and "are NaN or infinite, read as 0" in meta["warnings"]


def test_suffix_and_compression_are_told_by_content(tmp_path):
    path = write_nifti(tmp_path / "i.nii.gz", TENSOR, OURS)
    assert marker_corner(read_image(shutil.copy(path, tmp_path / "j.nii"))[0]) == MARKER_BOX
    (tmp_path / "k.dcm").write_bytes(gzip.decompress(path.read_bytes()))
    assert marker_corner(read_image(tmp_path / "k.dcm")[0]) == MARKER_BOX


def test_nifti_2(tmp_path):
    nibabel.save(nibabel.Nifti2Image(TENSOR, OURS), tmp_path / "i.nii")
    assert marker_corner(read_image(tmp_path / "i.nii")[0]) == MARKER_BOX


def test_coloured_nifti(tmp_path):
    rgb = np.zeros((60, 40, 1), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for name in rgb.dtype.names:
        rgb[name][..., 0] = TENSOR
    assert marker_corner(read_image(write_nifti(tmp_path / "i.nii", rgb, OURS))[0]) == MARKER_BOX
    rgb["G"] = 0
    with pytest.raises(InputError, match="in colour"):
        read_image(write_nifti(tmp_path / "c.nii", rgb, OURS))


@pytest.mark.parametrize("shape", [(20, 22, 5), (20, 22, 2), (20, 22, 1, 3), (2, 20, 22)])
def test_volumes_are_refused(tmp_path, shape):
    with pytest.raises(InputError, match="volume or a series"):
        read_image(write_nifti(tmp_path / "i.nii.gz", np.zeros(shape, "int16"), OURS))


def test_damaged_nifti(tmp_path):
    path = write_nifti(tmp_path / "i.nii", TENSOR, OURS)
    whole = path.read_bytes()
    for content, reason in (
        (whole[:-1], "damaged or cut off"),
        (whole[:350], "damaged or cut off"),
        (whole[:344] + b"ni1\0" + whole[348:], "i.img, which is not there"),
        (gzip.compress(whole)[:-50], "damaged or cut off"),
        (gzip.compress(whole)[:20], "damaged or cut off"),
        (gzip.compress(whole)[:-2], "damaged or cut off"),
        (gzip.compress(whole)[:-8] + bytes(8), "damaged or cut off"),  # another checksum
        (gzip.compress(b"hello"), "compressed by gzip"),
        (whole[:40] + np.array([2, 30000, 30000], "<i2").tobytes() + whole[46:], "too large"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=reason):
            read_image(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_nifti_that_goes_on_is_warned_of(tmp_path, pack):
    path = write_nifti(tmp_path / "i.nii", TENSOR, OURS)
    whole = path.read_bytes()
    for content, said in ((whole, ""), (whole + b"more", "goes on after the last pixel")):
        path.write_bytes(pack(content))
        warnings = read_image(path)[1]["warnings"]
        assert said in warnings if said else warnings == ""


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("offset", [1e9, float("nan")])
def test_nifti_whose_extensions_inflate_to_gigabytes(tmp_path, kind, offset):
    nibabel.save(kind(TENSOR, OURS), tmp_path / "i.nii")
    content = bytearray((tmp_path / "i.nii").read_bytes())
    if kind is nibabel.Nifti1Image:
        content[108:112] = np.array(offset, "<f4").tobytes()
    else:
        content[168:176] = np.array(np.nan_to_num(offset, nan=1e12), "<i8").tobytes()
    (tmp_path / "i.nii.gz").write_bytes(gzip.compress(bytes(content) + bytes(100_000_000), 1))
    with pytest.raises(InputError, match="pixels start too late"):
        read_image(tmp_path / "i.nii.gz")


@pytest.mark.parametrize("suffix", ["mha", "mhd", "nrrd", "nhdr"])
@pytest.mark.parametrize("compression", [False, True])
def test_itk_formats(tmp_path, suffix, compression):
    image, meta = read_image(write_itk(tmp_path / f"i.{suffix}", marker_picture(), compression=compression))
    assert marker_corner(image) == MARKER_BOX
    np.testing.assert_allclose(image, TENSOR / 255, atol=1e-6)
    assert meta["spacing"] == pytest.approx([0.2, 0.3]) and meta["stored_axes"] == "+x+y"
    assert meta["file_format"] == ("MetaImage" if suffix[0] == "m" else "NRRD")
    assert meta["spacing_source"] == ("ElementSpacing" if suffix[0] == "m" else "space directions")


@pytest.mark.parametrize("suffix", ["mha", "nrrd"])
@pytest.mark.parametrize(
    ("direction", "code"),
    [([[1, 0], [0, 1]], "+x+y"), ([[-1, 0], [0, 1]], "-x+y"), ([[-1, 0], [0, -1]], "-x-y"), ([[0, 1], [1, 0]], "+y+x")],
)
def test_itk_directions(tmp_path, suffix, direction, code):
    stored = np.ascontiguousarray(to_stored(TENSOR, code).T)
    path = write_itk(tmp_path / f"i.{suffix}", stored, direction=np.array(direction))
    image, meta = read_image(path)
    assert marker_corner(image) == MARKER_BOX and meta["stored_axes"] == code
    # the marker's first pixel is at the same point in space as ITK has it
    x, y = (int(v) for v in boxes_to_stored(np.array([[45, 2, 46, 3]]), (60, 40), code)[0, :2])
    point = itk.imread(str(path)).TransformIndexToPhysicalPoint([x, y])
    origin = itk.imread(str(path)).TransformIndexToPhysicalPoint([0, 0])
    first = (int(v) for v in boxes_to_stored(np.array([[0, 0, 1, 1]]), (60, 40), code)[0, :2])
    corner = itk.imread(str(path)).TransformIndexToPhysicalPoint(list(first))
    assert [point[i] - corner[i] for i in (0, 1)] == pytest.approx([45 * meta["spacing"][0], 2 * meta["spacing"][1]])
    assert origin is not None


@pytest.mark.parametrize("suffix", ["mha", "nrrd"])
def test_itk_slice_of_three_dimensions(tmp_path, suffix):
    coronal = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # columns: x to the left, y to the feet
    path = write_itk(tmp_path / f"i.{suffix}", marker_picture()[None], (0.2, 0.3, 1), coronal)
    image, meta = read_image(path)
    assert marker_corner(image) == MARKER_BOX and meta["spacing"] == pytest.approx([0.2, 0.3])


@pytest.mark.parametrize("suffix", ["mha", "nrrd"])
def test_itk_colour_and_volumes(tmp_path, suffix):
    image = itk.image_from_array(np.repeat(marker_picture()[..., None], 3, axis=-1), is_vector=True)
    itk.imwrite(image, str(tmp_path / f"grey.{suffix}"))
    assert marker_corner(read_image(tmp_path / f"grey.{suffix}")[0]) == MARKER_BOX
    with pytest.raises(InputError, match="volume or a series"):
        read_image(write_itk(tmp_path / f"v.{suffix}", np.zeros((3, 9, 9), "int16"), (1, 1, 1)))


@pytest.mark.parametrize(
    ("element", "dtype"),
    [("CHAR", "i1"), ("SHORT", "<i2"), ("UINT", "<u4"), ("LONG_LONG", "<i8"), ("FLOAT", "<f4"), ("DOUBLE", "<f8")],
)
def test_metaimage_element_types(tmp_path, element, dtype):
    header = f"ObjectType = Image\nNDims = 2\nDimSize = 60 40\nElementType = MET_{element}\nElementDataFile = LOCAL\n"
    pixels = (marker_picture() // 2).astype(dtype)
    (tmp_path / "i.mha").write_bytes(header.encode() + pixels.tobytes())
    image, meta = read_image(tmp_path / "i.mha")
    assert marker_corner(image) == MARKER_BOX
    assert meta["intensity_source"] == ("dtype" if element == "CHAR" else "percentile")


def written(path, picture: np.ndarray):
    """The picture (rows, columns) as the format of the suffix."""
    if path.suffix == ".nii":
        return write_nifti(path, np.ascontiguousarray(picture.T), OURS)
    if path.suffix == ".tif":
        import tifffile

        tifffile.imwrite(path, picture)
        return path
    header = "ObjectType = Image\nNDims = 2\nDimSize = {1} {0}\nElementType = MET_{2}\nElementDataFile = LOCAL\n"
    nrrd = "NRRD0004\ntype: {2}\ndimension: 2\nsizes: {1} {0}\nendian: little\nencoding: raw\n\n"
    names = {"u2": ("USHORT", "uint16"), "i2": ("SHORT", "int16"), "u4": ("UINT", "uint32"), "i4": ("INT", "int32")}
    name = names[picture.dtype.str[1:]][path.suffix == ".nrrd"]
    text = (nrrd if path.suffix == ".nrrd" else header).format(*picture.shape, name)
    path.write_bytes(text.encode() + picture.tobytes())
    return path


@pytest.mark.parametrize("suffix", ["nii", "mha", "nrrd", "tif"])
@pytest.mark.parametrize(
    ("dtype", "low", "bits"),
    [("u2", 0, 12), ("u2", 0, 14), ("i2", 0, 12), ("i2", -2048, 12), ("u4", 0, 10), ("i4", 0, 16), ("i4", -2048, 12)],
)
def test_integers_of_fewer_bits_than_their_type(tmp_path, suffix, dtype, low, bits):
    grey = np.random.default_rng(0).integers(0, 1 << bits, (40, 60))
    grey[0, :2] = 0, (1 << bits) - 1
    image, meta = read_image(written(tmp_path / f"i.{suffix}", (grey + low).astype(f"<{dtype}")))
    np.testing.assert_allclose(image.T, grey / ((1 << bits) - 1), atol=1e-5)
    assert "of the declared range" in meta["warnings"] and meta["intensity_source"] == "used depth"


def test_itk_name_does_not_matter(tmp_path):
    path = write_itk(tmp_path / "i.mha", marker_picture())
    assert marker_corner(read_image(shutil.copy(path, tmp_path / "i.dcm"))[0]) == MARKER_BOX


def test_damaged_metaimage_says_so_once(tmp_path, capfd):
    path = write_itk(tmp_path / "i.mha", marker_picture())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="damaged or cut off"):
        read_image(path)
    header = write_itk(tmp_path / "j.mhd", marker_picture())
    (tmp_path / "j.raw").unlink()
    with pytest.raises(InputError, match="its pixels are in j.raw, which is not there"):
        read_image(header)
    assert capfd.readouterr().err == ""


@pytest.mark.fault("a small file claims to hold a huge image", "refused before memory is taken")
@pytest.mark.parametrize(
    "header",
    [
        b"ObjectType = Image\nNDims = 2\nDimSize = 90000 90000\nElementType = MET_USHORT\nElementDataFile = LOCAL\n",
        b"NRRD0004\ntype: uint16\ndimension: 2\nsizes: 90000 90000\nendian: little\nencoding: raw\n\n",
    ],
)
def test_a_huge_claim_is_refused_before_memory_is_taken(tmp_path, header):
    (tmp_path / "i").write_bytes(header + b"\0" * 100)
    with pytest.raises(InputError, match="too large"):
        read_image(tmp_path / "i")


@pytest.mark.parametrize(
    ("kind", "name"), [("Nifti1Pair", "a.hdr"), ("Nifti2Pair", "a.hdr"), ("Nifti1Pair", "a.hdr.gz")]
)
def test_nifti_in_two_files(tmp_path, kind, name):
    pixels = np.ascontiguousarray(marker_picture().T)
    nibabel.save(getattr(nibabel, kind)(pixels, np.diag([-0.2, -0.3, 1, 1])), tmp_path / name)
    image, meta = read_image(tmp_path / name)
    np.testing.assert_allclose(image, pixels / 255, atol=1e-6)
    np.testing.assert_allclose(meta["spacing"], (0.2, 0.3))
    assert [entry["image"] for entry in find_radiographs(tmp_path)] == [str(tmp_path / name)]


@pytest.mark.parametrize("case", ["missing", "linked", "cut off"])
def test_nifti_whose_other_file_is_none(tmp_path, case):
    nibabel.save(nibabel.Nifti1Pair(marker_picture().T.copy(), np.eye(4)), tmp_path / "a.hdr")
    pixels = tmp_path / "a.img"
    content = pixels.read_bytes()
    pixels.unlink()
    if case == "linked":
        (tmp_path / "b").write_bytes(content)
        pixels.symlink_to(tmp_path / "b")
    elif case == "cut off":
        pixels.write_bytes(content[:-1])
    said = {"missing": "a.img, which is not there", "linked": "a link", "cut off": "damaged or cut off"}[case]
    with pytest.raises(InputError, match=said):
        read_image(tmp_path / "a.hdr")
