"""DICOM files for layouts: pixels and what it takes to show them, nothing about a patient."""

from pathlib import Path

import numpy as np


def write_dicom(
    path: Path,
    stored: np.ndarray,
    *,
    bits: int,
    photometric: str = "MONOCHROME2",
    compression: str = "",
    **elements: object,
) -> None:
    """Write a digital radiograph.

    Args:
        path: the file.
        stored: values as they stand in the file, uint8, uint16 or int16, `[height, width]`,
            `[frames, height, width]`, or with photometric "RGB" `[height, width, 3]`.
        bits: of them in use.
        photometric: interpretation: "MONOCHROME2" (large is bright), "MONOCHROME1" (large is dark) or "RGB".
        compression: "RLELossless" or "JPEG2000Lossless"; "" for none.
        elements: further elements by keyword, such as `WindowCenter`.
    """
    from pydicom import Dataset, uid
    from pydicom.dataset import FileMetaDataset

    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    header.SOPClassUID = uid.DigitalXRayImageStorageForPresentation
    header.SOPInstanceUID = uid.generate_uid(entropy_srcs=[path.stem])  # the same in every run
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.Modality = "DX"
    height, width = stored.shape[:2] if photometric == "RGB" else stored.shape[-2:]
    if photometric == "RGB":
        header.PlanarConfiguration = 0
    elif stored.ndim == 3:
        header.NumberOfFrames = len(stored)
    header.SamplesPerPixel = 3 if photometric == "RGB" else 1
    header.PhotometricInterpretation = photometric
    header.Rows, header.Columns = height, width
    header.BitsAllocated, header.BitsStored, header.HighBit = 8 * stored.itemsize, bits, bits - 1
    header.PixelRepresentation = int(stored.dtype.kind == "i")
    pixels = stored.tobytes()
    header.add_new("PixelData", "OB" if stored.itemsize == 1 else "OW", pixels + b"\0" * (len(pixels) % 2))
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    if compression:
        header.compress(getattr(uid, compression), generate_instance_uid=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path, enforce_file_format=True)


def write_grey(path: Path, grey: np.ndarray, *, bits: int, is_inverted: bool, compression: str = "") -> None:
    """Write greys so that they read back unchanged, deep ones by a window over all their values.

    Args:
        path: the file.
        grey: uint8 `[height, width]`.
        bits: 8, or more to store deeper values.
        is_inverted: MONOCHROME1, the film's own greys, instead of MONOCHROME2.
        compression: as in `write_dicom`.
    """
    top = 2**bits - 1
    stored = np.rint(grey * (top / 255)).astype(np.uint8 if bits == 8 else np.uint16)
    window = {} if bits == 8 else {"WindowCenter": (top + 1) / 2, "WindowWidth": top + 1}
    write_dicom(
        path,
        top - stored if is_inverted else stored,
        bits=bits,
        photometric="MONOCHROME1" if is_inverted else "MONOCHROME2",
        compression=compression,
        **window,
    )
