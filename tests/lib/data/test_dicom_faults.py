"""Broken DICOM files and missing decoders: the error says so, and ingest counts the pictures."""

import re
import sys

import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from tiny_dicom import DEEP, encapsulated
from tiny_reader import draw

from lib.data.chunk import ChunkJob, ingest_chunk, record_path
from lib.data.decode import read_picture
from lib.data.dicom import read_dicom
from lib.data.layouts.dicom import write_dicom
from lib.data.study import Study, View


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.dcm"


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
