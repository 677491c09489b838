"""Turned and inverted pictures are found among upright ones, and said to lie as they do."""

import numpy as np
import pytest
from PIL import Image

from lib.data.curation.orientation import WAYS, looks_turned
from lib.data.curation.thumbnail import shrink
from lib.data.readers.phantom import PhantomSource


@pytest.fixture(scope="module")
def chests() -> np.ndarray:
    """Return one frontal picture of each of 150 phantom studies."""
    phantoms = PhantomSource(studies=150, seed=8, image_size=64)
    return np.stack([study.views[0].render() for study in phantoms])


def judge(pictures: np.ndarray, **options) -> tuple[np.ndarray, np.ndarray]:
    thumbnails = np.stack([shrink(picture, 16) for picture in pictures])
    options = {"lateral": False} | options
    return looks_turned(thumbnails, np.arange(len(pictures)) % 5, **options)


@pytest.mark.parametrize("way", range(1, 8))
def test_every_way_is_told(chests, way):
    quarters, sign = WAYS[way]
    pictures = chests.copy()
    # Pillow turns against the clock, so the words of the flags are checked by another library than ours.
    pictures[40] = np.asarray(Image.fromarray(chests[40]).rotate(90 * quarters))
    if sign < 0:
        pictures[40] = 255 - pictures[40]
    found, margin = judge(pictures)
    assert found.tolist() == [way if place == 40 else 0 for place in range(150)]
    assert margin[40] > 0.4 > margin[:40].max()


def test_of_lateral_pictures_half_turns_are_not_told(chests):
    pictures = chests.copy()
    pictures[3] = pictures[3][::-1, ::-1]
    pictures[5] = np.rot90(pictures[5])
    found, _ = judge(pictures, lateral=True)
    assert [WAYS[way][0] for way in found[[3, 5]]] != [2, 1] and found[5] == 1
    assert 2 not in {WAYS[way][0] for way in found}


def test_exposure_does_not_matter(chests):
    pale = (chests // 3 + 150).astype(np.uint8)
    found, margin = judge(np.concatenate([chests[:75], pale[75:]]))
    assert not found.any()
    np.testing.assert_allclose(margin, judge(chests)[1], atol=0.15)


def test_a_picture_has_no_part_in_its_own_judgement(chests):
    """A fifth of the set upside down, all in one fold: judged by the others, it is found."""
    pictures = chests.copy()
    pictures[::5] = pictures[::5, ::-1, ::-1]
    found, _ = judge(pictures)
    assert (found[::5] == 2).mean() > 0.9
