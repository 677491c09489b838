"""Pictures that are filed wrongly, and pictures that are no radiographs."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images

from lib.data.curation.kinds import UNLIKE, WRONG_SIDE, looks_like_the_other_kind, unexplained
from lib.data.curation.thumbnail import shrink, standardise
from lib.data.readers.phantom import PhantomSource

FOLDS = np.arange(160) % 5


@pytest.fixture(scope="module")
def chests() -> tuple[np.ndarray, np.ndarray]:
    """Return thumbnails of 160 phantom views, and which of them are frontal."""
    views = [view for study in PhantomSource(studies=110, seed=9, image_size=64) for view in study.views]
    thumbnails = np.stack([shrink(view.render(), 16) for view in views[:160]])
    return thumbnails, np.array([view.position != "LATERAL" for view in views[:160]])


def test_wrongly_filed_ones_are_found_and_no_others(chests):
    thumbnails, is_frontal = chests
    filed = is_frontal.copy()
    filed[[7, 20, 90]] ^= True
    assert len(set(is_frontal[[7, 20, 90]])) == 2  # both ways
    side = looks_like_the_other_kind(thumbnails, filed, FOLDS)
    assert np.flatnonzero(side >= WRONG_SIDE).tolist() == [7, 20, 90]
    assert np.median(side) == pytest.approx(-1, abs=0.15)


def test_the_discriminant_is_that_of_scikit_learn(chests):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    thumbnails, is_frontal = chests
    side = looks_like_the_other_kind(thumbnails, is_frontal, FOLDS)
    standardised = standardise(thumbnails)
    inside = FOLDS == 2
    classes = is_frontal[~inside]
    few = standardised[~inside].astype(np.float64)
    # Equal weight for both kinds, and the same ridge: the pooled covariance plus 0.3 of its mean diagonal.
    parts = [few[classes == kind] for kind in (True, False)]
    pooled = sum((part - part.mean(0)).T @ (part - part.mean(0)) / len(part) for part in parts) / 2
    ridge = 0.3 * np.trace(pooled) / len(pooled) * np.eye(len(pooled))

    class Ridged:
        def fit(self, _):
            self.covariance_ = pooled + ridge
            return self

    double = LinearDiscriminantAnalysis(solver="lsqr", priors=[0.5, 0.5], covariance_estimator=Ridged()).fit(
        few, classes
    )
    decision = double.decision_function(standardised[inside])
    scale = double.decision_function(np.stack([parts[0].mean(0), parts[1].mean(0)]))
    expected = decision / scale[0]  # the means lie at 1 and -1
    np.testing.assert_allclose(np.where(is_frontal[inside], -1, 1) * expected, side[inside], atol=1e-4)


def strange() -> list[np.ndarray]:
    """Return what gets into collections: a photograph, a page of text, noise."""
    page = Image.new("L", (300, 300), 255)
    for line in range(20):
        text = "Findings are consistent with pneumonia of the right lower lobe"
        ImageDraw.Draw(page).text((10, 14 * line + 5), text, fill=0)
    flower = np.asarray(Image.fromarray(load_sample_images().images[1]).convert("L"))
    noise = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)
    return [flower, np.asarray(page), noise]


def test_what_is_no_radiograph_stays_unexplained(chests):
    thumbnails, is_frontal = chests
    mixed = np.concatenate([thumbnails[is_frontal], *(shrink(one, 16)[None] for one in strange())])
    left = unexplained(mixed, np.arange(len(mixed)) % 5)
    assert (left[-3:] >= UNLIKE).all()
    assert left[:-3].max() < UNLIKE / 2
    assert ((left >= -1e-5) & (left <= 1)).all()


def test_blocks_and_samples_change_little(chests, monkeypatch):
    """Fitted to a third of the pictures, judged in blocks of 7: the same ones are found."""
    thumbnails, is_frontal = chests
    filed = is_frontal.copy()
    filed[[7, 90]] ^= True
    whole = looks_like_the_other_kind(thumbnails, filed, FOLDS), unexplained(thumbnails, FOLDS)
    monkeypatch.setattr("lib.data.curation.thumbnail.BLOCK", 7)
    blocks = looks_like_the_other_kind(thumbnails, filed, FOLDS), unexplained(thumbnails, FOLDS)
    for first, second in zip(whole, blocks, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)
    monkeypatch.setattr("lib.data.curation.thumbnail.MOST", 45)
    few = looks_like_the_other_kind(thumbnails, filed, FOLDS)
    assert np.flatnonzero(few >= WRONG_SIDE).tolist() == [7, 90]
