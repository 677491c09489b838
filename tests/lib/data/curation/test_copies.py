"""Copies in one set and across two, each pair of one kind."""

import numpy as np
import pytest

from lib.data.curation.copies import Pictures, find_copies
from lib.data.curation.fingerprint import fingerprints, sketches
from lib.data.readers.phantom import PhantomSource


def pictures_of(images: np.ndarray, rows=None) -> Pictures:
    rows = np.arange(len(images)) if rows is None else np.array(rows)
    hashes = np.array([str(hash(image.tobytes())) for image in images])
    return Pictures(images, rows, hashes[rows], sketches(fingerprints(images))[rows])


@pytest.fixture(scope="module")
def chests() -> np.ndarray:
    seen: dict[str, np.ndarray] = {}
    for study in PhantomSource(studies=30, seed=4, image_size=96):
        seen.setdefault(study.patient_id, study.views[0].render())
    return np.stack(list(seen.values())[:20])


def test_every_kind_is_found_once_and_nothing_else(chests):
    second = chests[10:].copy()
    second[2] = chests[3]
    second[4] = np.clip(chests[5].astype(int) + 9, 0, 255)
    second[6] = chests[7][:, ::-1]
    found = {
        copies.kind: copies.pairs.tolist()
        for copies in find_copies(pictures_of(chests[:10]), pictures_of(second))
    }
    assert found == {"identical": [[3, 2]], "near_identical": [[5, 4]], "mirrored": [[7, 6]]}


def test_of_several_identical_ones_the_first_counts(chests):
    second = np.stack([chests[1], chests[0], chests[0]])
    first, *_ = find_copies(pictures_of(chests[:1]), pictures_of(second))
    assert first.pairs.tolist() == [[0, 1]]


def test_rows_pick_pictures_of_a_larger_array(chests):
    second = chests.copy()
    second[15] = np.clip(chests[2].astype(int) + 9, 0, 255)
    copies = list(find_copies(pictures_of(chests, [2, 4]), pictures_of(second, [12, 15])))
    assert copies[1].pairs.tolist() == [[0, 1]]
    assert copies[1].score[0] > 0.97
    assert not len(copies[0].pairs) and not len(copies[2].pairs)


def test_empty_sets_have_none(chests):
    for first, second in ((chests[:0], chests), (chests, chests[:0])):
        sets = (pictures_of(first), pictures_of(second))
        assert [len(copies.pairs) for copies in find_copies(*sets)] == [0, 0, 0]
