"""When the yardsticks serve: enough pictures of a kind, and a common look."""

import numpy as np
import pytest

from lib.data.curation.oddities import find_odd_ones
from lib.data.curation.thumbnail import shrink
from lib.data.readers.phantom import PhantomSource


@pytest.fixture(scope="module")
def chests() -> tuple[np.ndarray, np.ndarray]:
    """Return 120 frontal and 120 lateral thumbnails, and their kinds."""
    views = [view for study in PhantomSource(studies=260, seed=4, image_size=64) for view in study.views]
    parts = [
        [shrink(view.render(), 16) for view in views if (view.position == "LATERAL") == lateral][:120]
        for lateral in (False, True)
    ]
    return np.array(parts[0] + parts[1]), np.repeat([0, 1], 120)


def search(thumbnails, kind, ovals=None):
    ovals = np.zeros(len(kind), np.float32) if ovals is None else ovals
    return find_odd_ones(np.arange(len(kind)), kind, thumbnails, ovals)


def test_nothing_is_odd_where_nothing_is(chests):
    assert search(*chests) == ([], [])


def test_few_of_a_kind_are_said_to_be_few(chests):
    thumbnails, kind = chests
    some = np.r_[0:99, 120:240]
    found, (few, wrong) = search(thumbnails[some], kind[some])
    assert found == []
    assert few.startswith("Turned, inverted and unlike pictures among the 99 frontal ones: below 100")
    assert wrong == "Wrong view positions: that takes 100 frontal and 100 lateral pictures."


def test_where_many_would_be_flagged_none_is(chests):
    """Every fourth frontal picture turned: that is how they are, or how nobody can tell they are not."""
    thumbnails, kind = chests
    mixed = thumbnails.copy()
    mixed[0:120:4] = np.rot90(thumbnails[0:120:4], axes=(1, 2))
    found, unseen = search(mixed, kind)
    assert not [odd for odd in found if odd[1] == "rotated"]
    assert any(said.startswith("Turned or inverted frontal pictures: ") for said in unseen)


def test_the_first_reason_counts(chests):
    thumbnails, kind = chests
    changed = thumbnails.copy()
    changed[5] = np.rot90(255 - thumbnails[5])
    ovals = np.zeros(len(kind), np.float32)
    ovals[7] = 0.9
    changed[7] = np.rot90(thumbnails[7])
    found, _ = search(changed, kind, ovals)
    assert sorted((row, flag) for row, flag, *_ in found) == [
        (5, "inverted"), (5, "rotated"), (7, "not_a_radiograph"),
    ]  # fmt: skip
