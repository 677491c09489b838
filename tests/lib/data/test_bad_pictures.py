"""Files that are not what their names say: each is one drop that says why, or is read all the same."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from tiny_download import (
    cut,
    ingest_root,
    listed_drops,
    picture,
    rehearse,
    write_own_table,
)

from lib.data.layouts.dicom import write_dicom
from lib.data.readers import open_reader


@pytest.mark.parametrize(
    ("name", "suffix", "words"),
    [
        ("kermany", ".jpeg", "image file is truncated"),
        ("hannover", ".png", "image file is truncated"),
        ("rsna", ".dcm", "not readable as DICOM|no pixels in the file"),
        ("vinbigdata", ".dicom", "less than expected|not readable as DICOM|no pixels"),
    ],
)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_truncated_picture_is_a_drop(tmp_path, name, suffix, words, share):
    root = rehearse(name, tmp_path)
    path = next(study.views[0].path for study in open_reader(name, root) if not study.views[0].refused)
    assert path.suffix == suffix
    cut(path, share)
    store = ingest_root(name, root)
    ((rule, detail),) = store.drops.loc[store.drops.rule == "unreadable_image", ["rule", "detail"]].to_numpy()
    assert detail.startswith(f"{path.name}: ") and any(word in detail for word in words.split("|"))
    assert len(store) == len(open_reader(name, root)) - (store.drops.rule == "no_views").sum()


def test_16_bit_and_palette_and_rgba_pictures_are_read(tmp_path):
    grey = picture(width=32, height=32)
    root = write_own_table(
        tmp_path / "root", [f"{kind}.png,1" for kind in ("grey", "deep", "palette", "rgba")]
    )
    grey.save(root / "grey.png")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(root / "deep.png")
    grey.convert("P").save(root / "palette.png")
    grey.convert("RGBA").save(root / "rgba.png")
    store = ingest_root("csv", root)
    assert listed_drops(store) == []
    for stored in store.images:
        np.testing.assert_allclose(stored.astype(int), np.asarray(grey), atol=1)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 900), (900, 7)])
def test_pictures_of_a_pixel_are_drops(tmp_path, width, height):
    root = write_own_table(tmp_path / "root", ["good.png,1", "dot.png,2"])
    picture(width=width, height=height).save(root / "dot.png")
    detail = f"dot.png: {width} x {height} pixels are no radiograph"
    assert listed_drops(ingest_root("csv", root)) == [
        ("dot.png", "unreadable_image", detail),
        ("", "no_views", "none of 1 views is usable"),
    ]


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that says it is of that size and holds next to nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b"\0" * 100))
    parts = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def spoiled(path: Path, fault: str) -> None:
    """Write a file that is no radiograph."""
    grey = np.asarray(picture())
    if fault in CONTENTS:
        path.write_bytes(CONTENTS[fault])
    elif fault == "floats":
        Image.fromarray(grey.astype(np.float32)).save(path, "TIFF")
    elif fault == "below 0":
        Image.fromarray(grey.astype(np.int32) - 100).save(path, "TIFF")
    elif fault == "PNG inside":
        picture().save(path, "PNG")
    elif fault == "DICOM inside":
        write_dicom(path, grey, bits=8)
    elif fault == "slope 0":
        write_dicom(path, grey, bits=8, RescaleSlope=0, RescaleIntercept=10)
    else:
        write_dicom(path, grey, bits=8, compression="RLELossless")
        header = pydicom.dcmread(path)
        if fault == "no pixels":
            del header.PixelData
        elif fault == "bomb":
            header.Rows = header.Columns = 65_535
        header.save_as(path)


CONTENTS = {
    "empty": b"",
    "web page": b"\n<!DOCTYPE html><html><title>403 Forbidden</title></html>",
    "text": b"version https://git-lfs.github.com/spec/v1\n",
    "program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\nshowpage\n",  # Pillow would run it
    "huge": png_header(60_000, 60_000),
    "zeros": b"\0" * 5_000,
}


@pytest.mark.parametrize(
    ("name", "fault", "reason"),
    [
        ("a.jpg", "empty", "the file is empty"),
        ("a.dcm", "empty", "the file is empty"),
        ("a.jpg", "web page", "a web page, not a picture; was the download refused?"),
        ("a.dcm", "web page", "a web page, not a picture; was the download refused?"),
        ("a.png", "text", "not a picture that Pillow knows"),
        ("a.png", "program", "not a picture that Pillow knows"),
        ("a.png", "zeros", "not a picture that Pillow knows"),
        ("a.png", "huge", "Image size (3600000000 pixels) exceeds limit"),
        ("a.tiff", "floats", "float pictures have no stated white"),
        ("a.tiff", "below 0", "greys below 0 have no stated black"),
        ("a.png", "DICOM inside", "not a picture that Pillow knows"),
        ("a.dcm", "PNG inside", "not a DICOM file"),
        ("a.dcm", "zeros", "not a DICOM file"),
        ("a.dcm", "no pixels", "no pixels in the file; it is cut short, or no picture"),
        ("a.dcm", "slope 0", "rescale slope 0 and intercept 10 leave nothing of the picture"),
        ("a.dcm", "bomb", "65535 x 65535 pixels are no radiograph"),
    ],
)
def test_what_is_no_radiograph_is_a_drop_that_says_why(tmp_path, name, fault, reason):
    root = write_own_table(tmp_path / "root", ["good.png,1", f"{name},2"])
    spoiled(root / name, fault)
    store = ingest_root("csv", root)
    assert store.views.view_id.tolist() == ["good.png"]
    (view, rule, detail), last = listed_drops(store)
    assert (view, rule) == (name, "unreadable_image") and detail.startswith(f"{name}: {reason}")
    assert last == ("", "no_views", "none of 1 views is usable")


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [
        ("a.jpg", "PNG", "L"),
        ("a.png", "JPEG", "L"),
        ("a.jpg", "JPEG", "CMYK"),
        ("a.jpg", "MPO", "L"),
        ("a.tif", "TIFF", "I;16B"),
        ("a.bmp", "BMP", "L"),
        ("a.gif", "GIF", "P"),
    ],
)
def test_pictures_of_rare_kinds_are_read(tmp_path, name, kind, mode):
    root = write_own_table(tmp_path / "root", [f"{name},1"])
    grey = picture(width=32, height=32)
    if mode == "I;16B":
        values = (np.asarray(grey).astype(">u2") * 257).tobytes()
        saved = Image.frombytes("I;16B", grey.size, values)
    else:
        saved = grey.convert(mode)
    saved.save(root / name, kind, **({"quality": 98} if kind in ("JPEG", "MPO") else {}))
    store = ingest_root("csv", root)
    np.testing.assert_allclose(store.images[0].astype(int), np.asarray(grey), atol=4)


def test_of_a_dicom_file_with_several_frames_the_first_is_read(tmp_path):
    root = write_own_table(tmp_path / "root", ["a.dcm,1"])
    frames = np.stack([np.asarray(picture(seed, 32, 32)) for seed in range(3)])
    write_dicom(root / "a.dcm", frames, bits=8)
    np.testing.assert_array_equal(ingest_root("csv", root).images[0], frames[0])
