"""Searching: the same ranking as cosines written out, from embeddings that were computed once."""

import numpy as np
import pytest
import torch

from lib.data.augment import center_crop, normalize
from lib.data.splits import Manifest
from workbench.picture_search import PictureSearch
from workbench.reopen import load_objective, open_data

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def search(convirt) -> PictureSearch:
    return PictureSearch(convirt.run, device="cpu")


@pytest.fixture(scope="module")
def naive(convirt, search):
    """Return the objective and the pictures that were searched, as it sees them."""
    store, _ = open_data(convirt.run)
    pixels = torch.from_numpy(np.asarray(store.images)[search.view_rows])[:, None]
    return load_objective(convirt.run), normalize(center_crop(pixels, 32))


def cosines(query, candidates):
    return np.array([query @ one / np.linalg.norm(query) / np.linalg.norm(one) for one in candidates])


def test_it_looks_among_the_first_frontal_pictures_of_the_test_split(convirt, search):
    store, manifest = open_data(convirt.run)
    assert isinstance(manifest, Manifest)
    assert search.study_rows.tolist() == manifest.rows("test").tolist()
    assert (store.views["position"].to_numpy()[search.view_rows] == "PA").all()
    assert (store.views["study_row"].to_numpy()[search.view_rows] == search.study_rows).all()
    assert search.labels.shape == (len(search), len(store.label_names))


def test_pictures_are_ranked_by_the_cosine_of_their_features(search, naive):
    objective, images = naive
    with torch.no_grad():
        features = objective.encoder(images).pooled.numpy()
    for place in (0, 5, len(search) - 1):
        expected = cosines(features[place], features)
        scores = search.by_picture(place)
        np.testing.assert_allclose(scores, expected, atol=1e-5)
        assert np.argsort(-scores, kind="stable")[0] == place
    ranked = cosines(features[3], features)[np.argsort(-search.by_picture(3))]
    assert (np.diff(ranked) < 1e-6).all()  # equal but for the last bits


def test_a_sentence_ranks_by_the_cosine_in_the_shared_space(convirt, search, naive):
    objective, images = naive
    tokens = torch.from_numpy(search._pairs.tokenizer.encode(["The lungs are clear."], 24)).long()
    with torch.no_grad():
        text = objective.embed_texts(tokens, tokens != 0).numpy()[0]
        pictures = objective.embed_images(images).numpy()
    expected = cosines(text, pictures)
    scores = search.by_sentence("The lungs are clear.")
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert (np.diff(expected[np.argsort(-scores)]) < 1e-5).all()  # equal but for the last bits


def test_no_picture_is_looked_at_twice(convirt, search):
    again = PictureSearch(convirt.run, device="cpu")
    again._pairs.objective.encoder = None  # a question that needs it would fail
    np.testing.assert_array_equal(again.by_picture(4), search.by_picture(4))
    np.testing.assert_array_equal(again.by_sentence("Opacity."), search.by_sentence("Opacity."))


@pytest.mark.parametrize(
    ("sentence", "named"),
    [("", "no word"), (" .,- ", "no word"), ("\u65e5\u672c", "never seen a letter")],
)
def test_what_is_no_sentence_is_refused_in_words(search, sentence, named):
    assert named in search.refusal(sentence)
    with pytest.raises(ValueError, match=named):
        search.by_sentence(sentence)
    assert search.refusal("The lungs are clear.") == ""


def test_words_that_are_read_in_pieces_are_named(search):
    assert search.remark("The lungs are clear.") == ""
    assert "in pieces: xylophone." in search.remark("The lungs are xylophone clear.")
    assert "Only the first 22 pieces" in search.remark("clear " * 23)
    assert search.remark("clear " * 22) == ""


def test_a_method_without_texts_says_to_take_a_picture(search, monkeypatch):
    monkeypatch.setattr(search, "_pairs", None)
    assert not search.reads
    assert "embeds no texts" in search.refusal("The lungs are clear.")
