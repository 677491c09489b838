"""Values and files for the tests of DICOM."""

import numpy as np
import pydicom
from pydicom.encaps import encapsulate
from tiny_reader import draw

from lib.data.layouts.dicom import write_dicom

DEEP = (draw(2, 48, 32).astype(np.uint16) * 16 + draw(3, 48, 32) % 16).astype(np.uint16)
"""12 bits in use."""


def encapsulated(path, pixels, syntax, data):
    """Put compressed data, from elsewhere, into a file."""
    write_dicom(path, pixels, bits=8)
    header = pydicom.dcmread(path)
    header.file_meta.TransferSyntaxUID = syntax
    header.PixelData = encapsulate([data])
    header["PixelData"].is_undefined_length = True
    header.save_as(path)
