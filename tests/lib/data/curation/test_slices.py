"""Slices of a CT are told from radiographs by the air around an oval body."""

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from lib.data.curation.slices import oval_in_air
from lib.data.dicom import read_dicom
from lib.data.readers.phantom import PhantomSource
from tests.lib.data.curation.drawn_slice import draw_slice


@pytest.mark.parametrize("seed", range(20))
def test_a_slice_is_told(seed):
    assert oval_in_air(draw_slice(np.random.default_rng(seed))) >= 0.88


def test_phantom_radiographs_are_none():
    views = [view for study in PhantomSource(studies=40, image_size=64) for view in study.views]
    assert not any(oval_in_air(view.render()) for view in views)


def test_of_the_real_radiographs_none_is_taken_for_a_slice(shared):
    """Every tenth, so that this stays quick."""
    from lib.data.curation.thumbnail import content
    from lib.data.decode import read_picture

    files = sorted(shared.glob("data/*/images/*.jpg"))[::10]
    assert len(files) > 600
    found = []
    for file in files:
        picture, place = read_picture(file, 128)
        inside = content(picture, place.pad_x, place.pad_y, place.content_width, place.content_height)
        found += [file.name] if oval_in_air(inside) else []
    assert found == []


def test_pictures_without_a_body_are_none():
    assert oval_in_air(np.zeros((50, 50), np.uint8)) == 0
    assert oval_in_air(np.full((50, 50), 200, np.uint8)) == 0
    frame = np.zeros((80, 80), np.uint8)
    frame[10:70, 12:66] = 180  # a collimated picture fills its rectangle
    assert oval_in_air(frame) == 0
    frame[:] = 0
    frame[30:36, 30:36] = 200  # a marker is too small
    assert oval_in_air(frame) == 0


def test_a_real_slice_that_is_cut_off_is_not_told():
    """A known limit: the body in this one goes beyond the picture, so that no air is around it."""
    assert oval_in_air(read_dicom(get_testdata_file("CT_small.dcm"))) == 0
