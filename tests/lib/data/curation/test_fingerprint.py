"""Fingerprints agree with a naive double, and sketches with fingerprints."""

import io

import numpy as np
import pytest
from PIL import Image

from lib.data.curation.fingerprint import CANDIDATE, SAME, alike, fingerprints, mirrored, sketches
from lib.data.readers.phantom import PhantomSource


def local_mean(picture):
    padded = np.pad(picture, 2, mode="reflect")
    return np.array([[padded[y : y + 5, x : x + 5].mean() for x in range(48)] for y in range(48)])


def test_fingerprints_agree_with_a_naive_double():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, 96, 96), dtype=np.uint8)
    images[2] = 7  # nothing to see
    prints = fingerprints(images)
    for number in range(2):
        small = np.rint(images[number].reshape(48, 2, 48, 2).mean((1, 3)))
        fine = small - local_mean(small)
        fine = (fine / np.sqrt(local_mean(fine**2) + 3.0**2))[5:-5, 5:-5]
        fine -= fine.mean()
        np.testing.assert_allclose(prints[number], (fine / np.linalg.norm(fine)).ravel(), atol=2e-2)
    assert not prints[2].any()
    assert not sketches(prints)[2].any()
    assert not list(alike(sketches(prints)[2:], sketches(prints)))


@pytest.fixture(scope="module")
def chests() -> np.ndarray:
    """Return one frontal picture of each of 60 phantom patients."""
    seen: dict[str, np.ndarray] = {}
    for study in PhantomSource(studies=80, seed=3, image_size=128):
        seen.setdefault(study.patient_id, study.views[0].render())
    return np.stack(list(seen.values())[:60])


def test_a_mirrored_sketch_is_that_of_the_mirrored_picture(chests):
    direct = sketches(fingerprints(np.ascontiguousarray(chests[:, :, ::-1])))
    np.testing.assert_allclose(mirrored(sketches(fingerprints(chests))), direct, atol=2e-3)


def test_a_copy_is_a_candidate_and_alike_in_full(chests):
    random = np.random.default_rng(1)
    again = []
    for pixels in chests:
        side, file = int(128 * random.uniform(0.8, 1.6)), io.BytesIO()
        picture = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
        picture.save(file, "JPEG", quality=int(random.integers(50, 96)))
        again.append(np.asarray(Image.open(file).resize((128, 128), Image.Resampling.BILINEAR)))
    first, second = fingerprints(chests), fingerprints(np.stack(again))
    assert ((first * second).sum(1) > SAME).all()
    pairs = set(alike(sketches(first), sketches(second)))
    assert {(number, number) for number in range(60)} <= pairs


def test_pairs_are_those_of_all_products_in_order(chests, monkeypatch):
    monkeypatch.setattr("lib.data.curation.fingerprint.BLOCK", 7)  # several blocks, the last one short
    sketched = sketches(fingerprints(chests)).astype(np.float32)
    monkeypatch.setattr("lib.data.curation.fingerprint.MOST_CANDIDATES", 60)
    least = 0.4
    expected = [(i, j) for i in range(60) for j in range(60) if sketched[i] @ sketched[j] >= least]
    assert list(alike(sketched, sketched, least=least)) == expected
    earlier = [(i, j) for i, j in expected if j < i]
    assert list(alike(sketched, sketched, least=least, is_same_set=True)) == earlier
    flipped = list(alike(sketched, mirrored(sketched), least=least))
    assert list(alike(sketched, sketched, least=least, is_mirrored=True)) == flipped
    assert len(expected) > 60


def test_a_sketch_keeps_what_is_nearly_the_same():
    """Pairs of correlation 0.93 are candidates: 4,000 of them, drawn at random."""
    random = np.random.default_rng(2)
    first = random.standard_normal((4000, 38 * 38)).astype(np.float32)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    other = random.standard_normal(first.shape).astype(np.float32)
    other -= (other * first).sum(1, keepdims=True) * first
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    second = SAME * first + np.sqrt(1 - SAME**2) * other
    sketched = [sketches(prints).astype(np.float32) for prints in (first, second)]
    correlation = (sketched[0] * sketched[1]).sum(1)
    assert correlation.min() > CANDIDATE
    assert abs(correlation.mean() - SAME) < 0.002


def test_of_many_that_are_alike_a_few_are_looked_at(chests):
    many = np.repeat(sketches(fingerprints(chests[:2])), 3000, axis=0)
    pairs = list(alike(many, many, is_same_set=True))
    assert len(pairs) < 6000 * 16
    firsts = {i: [j for row, j in pairs if row == i] for i in (20, 3100)}
    assert firsts == {20: list(range(16)), 3100: list(range(3000, 3016))}
