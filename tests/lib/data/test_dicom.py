"""DICOM pictures look as the standard says, whatever way they are stored."""

import functools
import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from tiny_dicom import DEEP, encapsulated
from tiny_reader import draw

from lib.data.decode import read_picture
from lib.data.dicom import ELEMENTS, PERCENTILES, apply_window, read_dicom, read_elements
from lib.data.layouts.dicom import write_dicom, write_grey


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.dcm"


@functools.cache
def naive_window(value, centre, width, function):
    """Say the grey of one value, 0 to 1, in the words of PS3.3 C.11.2.1."""
    if function == "LINEAR":
        if value <= centre - 0.5 - (width - 1) / 2:
            return 0.0
        if value > centre - 0.5 + (width - 1) / 2:
            return 1.0
        return (value - (centre - 0.5)) / (width - 1) + 0.5
    if function == "LINEAR_EXACT":
        if value <= centre - width / 2:
            return 0.0
        if value > centre + width / 2:
            return 1.0
        return (value - centre) / width + 0.5
    return 1 / (1 + np.exp(-4 * (value - centre) / width))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(2048, 4096), (1500, 700), (40.5, 1), (900, 2), (-10, 300)])
def test_windows_agree_with_the_standard_and_with_pydicom(path, function, centre, width):
    window = {"WindowCenter": centre, "WindowWidth": width, "VOILUTFunction": function}
    write_dicom(path, DEEP, bits=12, **window)
    grey = read_dicom(path)
    assert grey.shape == DEEP.shape and grey.dtype == np.float32
    naive = [255 * naive_window(value, centre, width, function) for value in DEEP.ravel().tolist()]
    np.testing.assert_allclose(grey.ravel(), naive, atol=1e-3)
    theirs = pydicom.pixels.apply_windowing(DEEP, pydicom.dcmread(path))
    np.testing.assert_allclose(grey, theirs * (255 / 4095), atol=1e-3)


def test_a_window_acts_on_rescaled_values(path):
    write_dicom(
        path, DEEP, bits=12, WindowCenter=0, WindowWidth=1000, RescaleSlope=0.5, RescaleIntercept=-900
    )
    np.testing.assert_allclose(read_dicom(path), apply_window(DEEP * 0.5 - 900, 0, 1000), atol=1e-3)


def test_of_several_windows_the_first_counts(path):
    write_dicom(path, DEEP, bits=12, WindowCenter=[2000, 100], WindowWidth=[3000, 50])
    np.testing.assert_allclose(read_dicom(path), apply_window(DEEP, 2000, 3000), atol=1e-3)


def naive_clip(values, counted):
    low, high = np.percentile(counted, PERCENTILES)
    return np.clip((values.astype(float) - low) / (high - low), 0, 1) * 255


@pytest.mark.parametrize(
    "window", [{}, {"WindowCenter": 100, "WindowWidth": 0}, {"WindowCenter": 100, "WindowWidth": None}]
)
def test_without_a_usable_window_deep_greys_are_clipped_at_percentiles(path, window):
    write_dicom(path, DEEP, bits=12, **window)
    np.testing.assert_allclose(read_dicom(path), naive_clip(DEEP, DEEP), atol=1e-3)


def test_signed_values_and_padding(path):
    values = DEEP.astype(np.int16) - 1000
    values[:, :8] = -32768
    write_dicom(path, values, bits=16, PixelPaddingValue=-32768)
    grey = read_dicom(path)
    np.testing.assert_allclose(grey, naive_clip(values, values[:, 8:]), atol=1e-3)
    assert grey[:, :8].max() == 0 and grey[:, 8:].std() > 20


def test_a_picture_of_one_value_is_no_error(path):
    write_dicom(path, np.full((8, 8), 700, np.uint16), bits=12)
    assert read_dicom(path).max() == 0


def test_8_bit_pictures_are_shown_as_they_are(path):
    pixels = draw(1, 40, 30)
    write_dicom(path, pixels, bits=8)
    np.testing.assert_array_equal(read_dicom(path), pixels)
    write_dicom(path, pixels, bits=8, RescaleSlope=1, RescaleIntercept=0)
    np.testing.assert_array_equal(read_dicom(path), pixels)
    write_dicom(path, pixels, bits=8, RescaleSlope=2, RescaleIntercept=-3)
    np.testing.assert_allclose(read_dicom(path), naive_clip(pixels, pixels), atol=1e-3)


def lookup_table(first, values, bits):
    table = pydicom.Dataset()
    table.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(values), first, bits])
    table.add_new("LUTData", "US", list(values))
    return table


def test_a_voi_table_comes_before_a_window(path):
    values = [int(value) for value in np.linspace(0, 32, 1000) ** 2]  # 10 bits
    table = lookup_table(500, values, 10)
    write_dicom(path, DEEP, bits=12, VOILUTSequence=[table], WindowCenter=9, WindowWidth=9)
    naive = [values[min(max(value - 500, 0), 999)] * 255 / 1023 for value in DEEP.ravel().tolist()]
    np.testing.assert_allclose(read_dicom(path).ravel(), naive, atol=1e-3)


def test_a_modality_table_makes_the_values_that_a_window_reads(path):
    values = [(3 * entry) % 4096 for entry in range(4096)]  # such tables are of 8 or 16 bits
    table = lookup_table(0, values, 16)
    table.ModalityLUTType = "US"
    write_dicom(path, DEEP, bits=12, ModalityLUTSequence=[table], WindowCenter=2000, WindowWidth=1000)
    naive = apply_window(np.array(values)[DEEP], 2000, 1000)
    np.testing.assert_allclose(read_dicom(path), naive, atol=1e-3)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("compression", ["", "RLELossless", "JPEG2000Lossless"])
@pytest.mark.parametrize("is_inverted", [False, True])
def test_greys_come_back_however_they_are_stored(path, bits, compression, is_inverted):
    pixels = draw(bits, 64, 64)
    write_grey(path, pixels, bits=bits, is_inverted=is_inverted, compression=compression)
    header = pydicom.dcmread(path, stop_before_pixels=True)
    assert header.PhotometricInterpretation == ("MONOCHROME1" if is_inverted else "MONOCHROME2")
    assert header.BitsStored == bits and header.file_meta.TransferSyntaxUID.is_compressed == bool(compression)
    canvas, placement = read_picture(path, 64)
    np.testing.assert_array_equal(canvas, pixels)
    assert (placement.width, placement.height) == (64, 64)


def test_monochrome1_is_inverted_after_the_window(path):
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        name = path.with_name(photometric + ".DICOM")
        write_dicom(name, DEEP, bits=12, photometric=photometric, WindowCenter=1000, WindowWidth=900)
    one, two = (read_dicom(path.with_name(name)) for name in ("MONOCHROME1.DICOM", "MONOCHROME2.DICOM"))
    np.testing.assert_allclose(one, 255 - two, atol=1e-3)


@pytest.mark.parametrize("compression", ["", "RLELossless", "JPEG2000Lossless"])
def test_of_several_frames_the_first_counts(path, compression):
    frames = np.stack([draw(seed, 64, 80) for seed in range(3)])
    write_dicom(path, frames, bits=8, compression=compression)
    np.testing.assert_array_equal(read_dicom(path), frames[0])


def test_jpeg_as_rsna_has_it(path):
    pixels = draw(1, 64, 48)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=90)
    encapsulated(path, pixels, pydicom.uid.JPEGBaseline8Bit, data.getvalue())
    np.testing.assert_array_equal(read_dicom(path), np.asarray(Image.open(data)))


def test_colour_becomes_luminance(path):
    colour = np.stack([draw(seed, 40, 30) for seed in range(3)], axis=-1)
    write_dicom(path, colour, bits=8, photometric="RGB")
    np.testing.assert_allclose(read_dicom(path), colour @ np.array([0.299, 0.587, 0.114]), atol=1)


def test_shapes_are_kept_on_the_canvas(path):
    write_dicom(path, draw(1, 100, 50), bits=8)
    canvas, placement = read_picture(path, 64)
    assert (placement.width, placement.height, placement.content_width) == (50, 100, 32)
    assert canvas[:, :16].max() == 0 and canvas[:, 16:48].min() > 0


def test_nothing_about_a_patient_is_read(path):
    write_dicom(
        path, draw(1, 8, 8), bits=8, PatientName="Doe^Jane", PatientID="77", PatientBirthDate="19500101"
    )
    with open(path, "rb") as file:
        keywords = {element.keyword for element in read_elements(file)}
    assert "PixelData" in keywords and keywords <= set(ELEMENTS)
    assert not any("Patient" in name or "Date" in name for name in ELEMENTS)


def test_files_are_the_same_in_every_run(path):
    write_grey(path, draw(1, 16, 16), bits=12, is_inverted=True)
    first = path.read_bytes()
    write_grey(path, draw(1, 16, 16), bits=12, is_inverted=True)
    assert path.read_bytes() == first
