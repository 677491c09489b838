"""DICOM pictures look as the standard says, whatever way they are stored; broken ones say so."""

import functools
import io
import re
import sys

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from tiny_reader import draw

from lib.data.chunk import ChunkJob, ingest_chunk, record_path
from lib.data.decode import read_picture
from lib.data.dicom import ELEMENTS, PERCENTILES, apply_window, read_dicom, read_elements
from lib.data.layouts.dicom import write_dicom, write_grey
from lib.data.study import Study, View

DEEP = (draw(2, 48, 32).astype(np.uint16) * 16 + draw(3, 48, 32) % 16).astype(np.uint16)
"""12 bits in use."""


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


def encapsulated(path, pixels, syntax, data):
    """Put compressed data, from elsewhere, into a file."""
    write_dicom(path, pixels, bits=8)
    header = pydicom.dcmread(path)
    header.file_meta.TransferSyntaxUID = syntax
    header.PixelData = encapsulate([data])
    header["PixelData"].is_undefined_length = True
    header.save_as(path)


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


def broken(path, fault):
    """Write a file with a fault; return the words that its error must hold."""
    write_dicom(path, DEEP, bits=12, compression="JPEG2000Lossless" if "J2K" in fault else "")
    if fault.startswith("cut"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // (20 if "early" in fault else 2)])
        return "less than expected|no pixels|not a DICOM|not readable"
    if fault == "empty":
        path.write_bytes(b"")
        return "not a DICOM"
    if fault == "PNG":
        Image.fromarray(draw(1, 8, 8)).save(path, "PNG")
        return "not a DICOM file"
    header = pydicom.dcmread(path)
    if fault == "no pixels":
        del header.PixelData
    elif fault == "no rows":
        del header.Rows
    elif fault == "palette":
        header.PhotometricInterpretation = "PALETTE COLOR"
    elif fault == "no J2K":
        header.PixelData = encapsulate([b"\0" * 200])
        header["PixelData"].is_undefined_length = True
    header.save_as(path)
    words = {
        "no pixels": "no pixels in the file",
        "palette": "PALETTE COLOR with uint16 values is no radiograph",
    }
    return words.get(fault, "not readable as DICOM|Rows|missing")


FAULTS = ["cut", "cut early", "cut J2K", "empty", "PNG", "no pixels", "no rows", "palette", "no J2K"]


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_files_are_errors_of_the_picture(path, fault):
    words = broken(path, fault)
    with pytest.raises(ValueError, match=words) as caught:
        read_dicom(path)
    assert str(path.parent) not in str(caught.value) and "\n" not in str(caught.value)
    assert "0x" not in str(caught.value)  # an address would make each store another


def test_ingest_counts_broken_files_and_goes_on(tmp_path):
    paths = [tmp_path / f"{number}.dcm" for number in range(len(FAULTS))]
    for path, fault in zip(paths, FAULTS, strict=True):
        broken(path, fault)
    write_dicom(tmp_path / "good.dcm", draw(1, 8, 8), bits=8)
    views = [View(view_id=path.stem, path=path) for path in [*paths, tmp_path / "good.dcm"]]
    views.append(View(view_id="away", path=tmp_path / "away.dcm"))
    study = Study(study_id="s", patient_id="p", views=tuple(views))
    (tmp_path / "out").mkdir()
    job = ChunkJob(
        index=0,
        folder=tmp_path / "out",
        studies=(study,),
        repeated_studies=(False,),
        repeated_views=((False,) * len(views),),
        image_size=16,
        label_names=(),
        has_reports=False,
    )
    assert ingest_chunk(job).num_views == 1
    record = record_path(job.folder, 0).read_text()
    assert record.count("unreadable_image") == len(FAULTS) and record.count("missing_image") == 1


@pytest.mark.parametrize(
    ("syntax", "package"),
    [
        (pydicom.uid.JPEGLossless, "pylibjpeg-libjpeg"),
        (pydicom.uid.JPEGLosslessSV1, "pylibjpeg-libjpeg"),
        (pydicom.uid.JPEGLSLossless, "pyjpegls"),
    ],
)
def test_a_missing_decoder_is_named(path, syntax, package):
    encapsulated(path, draw(1, 8, 8), syntax, b"\xff\xd8" + b"\0" * 100)
    words = f"no decoder for {re.escape(syntax.name)}: pip install {package}"
    with pytest.raises(ValueError, match=words) as caught:
        read_dicom(path)
    assert ("GPL" in str(caught.value)) == (package == "pylibjpeg-libjpeg")


def test_the_missing_extra_is_named_and_stops_an_ingest(path, monkeypatch):
    path.touch()
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImportError, match=r"a.dcm is a DICOM file .*radiograph-workbench\[dicom\]"):
        read_picture(path, 8)


def test_a_folder_is_a_fault_of_the_machine_not_of_the_picture(path):
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        read_dicom(path)


def test_files_are_the_same_in_every_run(path):
    write_grey(path, draw(1, 16, 16), bits=12, is_inverted=True)
    first = path.read_bytes()
    write_grey(path, draw(1, 16, 16), bits=12, is_inverted=True)
    assert path.read_bytes() == first
