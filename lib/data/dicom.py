"""DICOM files -> one grey picture each, as a viewer would show it.

In this order: the first frame is decoded; stored values become modality values (rescale slope and intercept,
or the modality table); those become greys by the first VOI table, else by the first window, else by a clip
at percentiles; MONOCHROME1 is inverted, so that dense is bright in every picture.

Only the elements in `ELEMENTS` are taken from a file: no name, date or number of a patient is ever in memory.
"""

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pydicom import Dataset

DICOM_SUFFIXES = (".dcm", ".dicom")

MOST_PIXELS = 2 * Image.MAX_IMAGE_PIXELS
"""As Pillow's own limit: a broken or malicious header may ask for any amount of memory."""

PERCENTILES = (0.5, 99.5)
"""Black and white of a picture of more than 8 bits that brings neither table nor window."""

ELEMENTS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenter",
    "WindowWidth",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "PixelData",
)
"""All that is read of a file."""

INSTALL = "pip install 'radiograph-workbench[dicom]', or pip install pydicom pylibjpeg pylibjpeg-openjpeg"

_LIBJPEG = "pip install pylibjpeg-libjpeg adds it (GPL-3, therefore no dependency of this project)"
_FOREIGN = {
    "1.2.840.10008.1.2.4.51": _LIBJPEG,  # JPEG Extended, 12 bits
    "1.2.840.10008.1.2.4.57": _LIBJPEG,  # JPEG Lossless, process 14
    "1.2.840.10008.1.2.4.70": _LIBJPEG,  # JPEG Lossless, process 14, selection value 1
    "1.2.840.10008.1.2.4.80": "pip install pyjpegls adds it",  # JPEG-LS
    "1.2.840.10008.1.2.4.81": "pip install pyjpegls adds it",  # JPEG-LS, near lossless
}
"""Transfer syntaxes that the extra cannot decode -> who can."""


def read_dicom(path: Path) -> np.ndarray:
    """Decode the first frame of a file; further frames are repeats or other views, and have no study here.

    Pictures of up to 8 bits without table, window or rescaling are shown as they are stored. A window
    without a usable width counts as none. Colour becomes luminance.

    Returns:
        float32 `[height, width]`, 0 black to 255 white.

    Raises:
        OSError: the file cannot be opened or read; `errno` says why.
        ValueError: no DICOM file, cut short, without pixels, compressed in a way that nothing installed
            decodes, or no radiograph.
        ImportError: the extra `dicom` is not installed.
    """
    try:
        import pydicom
    except ImportError as error:
        raise ImportError(f"{path.name} is a DICOM file and pydicom is not installed: {INSTALL}.") from error
    with open(path, "rb") as file, warnings.catch_warnings():
        # pydicom warns of small breaches of the standard; archives are full of them.
        warnings.simplefilter("ignore")
        try:
            header = read_elements(file)
            return _to_grey(header, _first_frame(header))
        except pydicom.errors.InvalidDicomError as error:
            raise ValueError("not a DICOM file") from error
        except ValueError:
            raise
        except Exception as error:
            # A broken file makes the parser and the decoders raise almost anything.
            if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:
                raise
            words = " ".join(str(error).split()) or type(error).__name__
            reason = re.sub(r" at 0x[0-9a-f]+", "", words)  # the same in every run
            raise ValueError(f"not readable as DICOM: {reason}") from error


def read_elements(file: BinaryIO) -> "Dataset":
    """Read the elements that a picture needs, and no others."""
    import pydicom

    return pydicom.dcmread(file, specific_tags=list(ELEMENTS))


def _first_frame(header: "Dataset") -> np.ndarray:
    """Return stored values, `[height, width]`, or RGB `[height, width, 3]`."""
    from pydicom.pixels import pixel_array

    if not header.get("PixelData"):
        raise ValueError("no pixels in the file; it is cut short, or no picture")
    if header.Rows * header.Columns > MOST_PIXELS:
        raise ValueError(f"{header.Columns} x {header.Rows} pixels are no radiograph")
    syntax = header.file_meta.TransferSyntaxUID
    try:
        return pixel_array(header, index=0)
    except Exception as error:
        if syntax in _FOREIGN:
            raise ValueError(f"no decoder for {syntax.name}: {_FOREIGN[syntax]}") from error
        raise


def _to_grey(header: "Dataset", stored: np.ndarray) -> np.ndarray:
    from pydicom.pixels import apply_modality_lut, apply_voi

    kind = header.PhotometricInterpretation
    if stored.ndim == 3 and stored.dtype == np.uint8:
        return np.asarray(Image.fromarray(stored).convert("L"), dtype=np.float32)
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise ValueError(f"photometric interpretation {kind} with {stored.dtype} values is no radiograph")
    slope, intercept = (float(header.get(name) or 0) for name in ("RescaleSlope", "RescaleIntercept"))
    if "RescaleSlope" in header and not (slope and np.isfinite([slope, intercept]).all()):
        raise ValueError(f"rescale slope {slope:g} and intercept {intercept:g} leave nothing of the picture")
    values = apply_modality_lut(stored, header)
    if header.get("VOILUTSequence"):
        bits = header.VOILUTSequence[0].LUTDescriptor[2]
        grey = apply_voi(np.rint(values).astype(np.int32), header) * (255.0 / (2**bits - 1))
    elif (window := _window(header)) is not None:
        grey = apply_window(values, *window)
    elif header.BitsStored <= 8 and stored.dtype.kind == "u" and np.array_equal(values, stored):
        grey = stored * (255.0 / (2**header.BitsStored - 1))
    else:
        grey = _clip(values, stored != header.get("PixelPaddingValue"))
    return (255.0 - grey if kind == "MONOCHROME1" else grey).astype(np.float32)


def _window(header: "Dataset") -> tuple[float, float, str] | None:
    """Return centre, width and function of the first window, or None."""
    function = header.get("VOILUTFunction") or "LINEAR"
    pair = [header.get(name) for name in ("WindowCenter", "WindowWidth")]
    if None in pair:
        return None
    centre, width = (float(np.ravel(value)[0]) for value in pair)
    usable = np.isfinite(centre) and (width >= 1 if function == "LINEAR" else width > 0)
    return (centre, width, function) if usable else None


def apply_window(values: np.ndarray, centre: float, width: float, function: str = "LINEAR") -> np.ndarray:
    """Map modality values to greys from 0 to 255 (DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3).

    Args:
        values: of any shape.
        centre: in the unit of the values.
        width: in the unit of the values; at least 1 for "LINEAR", else above 0.
        function: "LINEAR", "LINEAR_EXACT" or "SIGMOID".
    """
    if function == "SIGMOID":
        return 255.0 / (1.0 + np.exp(-4.0 * (values - centre) / width))
    if function == "LINEAR":  # counts whole numbers: a width of 2 spans one step
        centre, width = centre - 0.5, width - 1.0
    if width == 0:
        return np.where(values > centre, 255.0, 0.0)
    return np.clip((values - centre) / width + 0.5, 0.0, 1.0) * 255.0


def _clip(values: np.ndarray, is_seen: np.ndarray) -> np.ndarray:
    """Stretch between percentiles of what is not padding; a picture of one value is black."""
    counted = values[is_seen] if is_seen.any() else values
    low, high = np.percentile(counted, PERCENTILES)
    if low == high:
        low, high = counted.min(), counted.max()
    return np.clip((values - low) / max(high - low, 1e-9), 0.0, 1.0) * 255.0
