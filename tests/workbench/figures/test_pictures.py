"""Pictures travel as small files and come back as they were."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from workbench.figures.pictures import data_uri, mosaic


def decode(uri):
    kind, _, content = uri.partition(",")
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


@pytest.fixture
def ramp():
    return np.add.outer(np.arange(256), np.arange(256) // 2).clip(0, 255).astype(np.uint8)


def test_a_picture_comes_back_as_it_was(ramp):
    uri = data_uri(ramp)
    assert np.abs(decode(uri).astype(int) - ramp).max() <= 6
    assert len(uri) < 20_000  # as a list of numbers it would take 250,000


@pytest.mark.parametrize("image", [np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8)])
def test_what_is_not_a_grey_picture_is_refused(image):
    with pytest.raises(ValueError, match="grey uint8"):
        data_uri(image)


def test_the_mosaic_puts_each_picture_in_its_place():
    images = np.stack([np.full((8, 8), value, np.uint8) for value in (10, 20, 30)])
    sheet = mosaic(images, columns=2, tile=4, gap=1)
    assert sheet.shape == (9, 9)
    assert (sheet[:4, :4] == 10).all()
    assert (sheet[:4, 5:] == 20).all()
    assert (sheet[5:, :4] == 30).all()
    assert (sheet[5:, 5:] == 255).all()


def test_the_mosaic_keeps_the_shape_of_wide_pictures_and_leaves_a_foot():
    images = np.stack([np.full((8, 20), value, np.uint8) for value in (10, 20)])
    sheet = mosaic(images, columns=1, tile=4, gap=1, foot=3)
    assert sheet.shape == (4 + 3 + 1 + 4 + 3, 10)
    assert (sheet[:4] == 10).all() and (sheet[4:8] == 255).all() and (sheet[8:12] == 20).all()
