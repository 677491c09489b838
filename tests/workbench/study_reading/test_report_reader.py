"""A report read beside its study: tokens, maps, views that the model gets twice; and how maps are shown."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lib.explain.report_attention import report_attention
from workbench.study_reading.report_reader import END, TRUE, WRITTEN, ReportReader, StudyReading
from workbench.study_reading.shown_attention import (
    APART,
    ATTENTION,
    MEAN,
    PASSED,
    is_word,
    shown_maps,
    view_shares,
    written,
)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def reader(refers) -> ReportReader:
    return ReportReader(refers, device="cpu")


def place_with(reader, num_views: int) -> int:
    counts = np.diff(reader.store.view_offsets)[reader.studies.rows]
    return int(np.flatnonzero(counts == num_views)[0])


def test_tokens_of_the_true_report_are_its_words(reader):
    reading = reader.read(place_with(reader, 2), TRUE)
    text = "".join(" " * (not glued) + word for word, glued in written(reading.pieces[:-1])).strip()
    assert text == reader.store.texts[reading.study.row].lower()
    assert reading.pieces[-1] == END and len(reading.probabilities) == len(reading.pieces) == len(
        reading.maps
    )


def test_a_report_that_is_too_long_is_cut_and_that_is_known(reader, monkeypatch):
    row = int(reader.studies.rows[0])
    texts = [*reader.store.texts]
    for text, is_cut in ((" ".join(["clear"] * 22), False), (" ".join(["clear"] * 23), True)):
        texts[row] = text
        monkeypatch.setattr(reader.store, "texts", texts)
        reading = reader._read(row, TRUE)
        assert reading.is_cut == is_cut and len(reading.pieces) == 23  # 24 with the start


def test_the_written_report_is_that_of_the_model(reader, refers):
    reading = reader.read(place_with(reader, 2), WRITTEN)
    generated = reader.opened.objective.generate(reading.study.images)
    pieces = [piece for piece, _ in written(reading.pieces[:-1])]
    assert "".join(pieces) == reader._tokenizer.decode(generated[0].numpy()).replace(" ", "")
    attended = report_attention(reader.opened.objective, reading.study.images, generated)
    length = len(reading.pieces)
    np.testing.assert_allclose(reading.maps, attended.maps[0, :length].numpy(), rtol=1e-6)
    np.testing.assert_allclose(reading.view_weights.sum(), 1, rtol=1e-5)


def test_a_view_that_is_given_twice_is_one_view(reader):
    reading = reader.read(place_with(reader, 1), TRUE)
    assert reading.study.images.shape[1] == 2 and len(reading.study.pictures) == 1
    assert reading.study.title_of(0) == "PA, given 2 times"
    assert reading.maps.shape[3] == 1
    np.testing.assert_allclose(reading.maps.sum(axis=(3, 4, 5)), 1, rtol=1e-5)
    np.testing.assert_allclose(reading.view_weights, [1], rtol=1e-5)
    tokens = torch.tensor([[2, 5, 3]])
    attended = report_attention(reader.opened.objective, reading.study.images, tokens)
    # The first map knows no word yet, so it is the same for every report.
    both = (attended.maps * attended.gates)[0, 0].sum(dim=2)
    np.testing.assert_allclose(reading.passed[0, :, :, 0], both.numpy(), rtol=1e-5)


def test_readings_are_computed_once(reader, monkeypatch):
    first = reader.read(0)
    monkeypatch.setattr(reader, "_read", None)
    assert reader.read(0) is first


def test_a_place_lies_where_its_pixels_are(reader):
    """The crop of 32 of 36 stored pixels has 4 x 4 places of 8 pixels."""
    assert reader.borders(4).tolist() == [2, 10, 18, 26, 34]
    maps = np.zeros((1, 4, 4), np.float32)
    maps[0, 1, 2] = 1
    laid = reader.lay(maps)[0]
    assert np.unravel_index(laid.argmax(), laid.shape)[0] in (13, 14)
    assert np.unravel_index(laid.argmax(), laid.shape)[1] in (21, 22)
    assert not laid[:2].any() and not laid[:, 34:].any()


def test_places_of_a_convolutional_encoder_lie_at_their_middles(reader, monkeypatch):
    encoder = SimpleNamespace(place_centres=torch.tensor([0.0, 8.0, 16.0, 24.0]), image_size=32)
    monkeypatch.setattr(reader.opened, "objective", SimpleNamespace(encoder=encoder))
    assert reader.borders(4).tolist() == [2, 6, 14, 22, 34]
    laid = reader.lay(np.eye(4, dtype=np.float32)[None, 1:2].repeat(4, axis=1))[0]  # the second column
    assert abs(np.average(np.arange(36) + 0.5, weights=laid[18]) - 10) < 0.5


def made(maps, passed=None) -> StudyReading:
    """Return a reading with these maps `[T, layers, heads, V, rows, columns]`."""
    maps = np.asarray(maps, np.float32)
    passed = maps if passed is None else np.asarray(passed, np.float32)
    return StudyReading(None, [], maps, None, passed, None)


def test_the_unit_is_the_even_share():
    maps = np.zeros((2, 1, 2, 2, 2, 2))
    maps[0] = 1 / 8
    maps[1, 0, 0, 1, 0, 0] = maps[1, 0, 1, 0, 1, 1] = 1
    reading = made(maps)
    mean = shown_maps(reading, ATTENTION, 0, MEAN)
    assert (mean[0] == 1).all() and mean[1, 1, 0, 0] == mean[1, 0, 1, 1] == 4
    assert shown_maps(reading, ATTENTION, 0, 1)[1].tolist() == [[[0, 0], [0, 8]], [[0, 0], [0, 0]]]
    assert view_shares(reading, ATTENTION, 0, 0).tolist() == [[0.5, 0.5], [0, 1]]
    apart = shown_maps(reading, APART, 0, 0)
    assert apart[1, 1, 0, 0] == 3.5 and apart[0, 1, 0, 0] == 0 and apart[0, 0, 0, 0] == 0.5


def test_what_passes_view_fusion_adds_up_to_one():
    maps = np.full((1, 1, 1, 2, 1, 1), 0.5)
    reading = made(maps, maps * np.array([0.25, 0.75])[:, None, None])
    np.testing.assert_allclose(shown_maps(reading, PASSED, 0, MEAN).ravel(), [0.5, 1.5])
    np.testing.assert_allclose(view_shares(reading, PASSED, 0, MEAN), [[0.25, 0.75]])
    assert not shown_maps(made(maps, 0 * maps), PASSED, 0, MEAN).any()


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a", "1", ".", "2", "cm", "no", "##dule", "."], "a 1.2 cm nodule."),
        (["clear", ".", "2", ".", "no", "change"], "clear. 2. no change"),
        (["well", "-", "defined", ",", "(", "old", ")"], "well-defined, (old)"),
    ],
)
def test_tokens_are_joined_as_they_are_read(pieces, text):
    joined = "".join(" " * (not glued) + word for word, glued in written(pieces))
    assert joined.strip() == text


def test_words_that_say_something():
    assert [piece for piece in ["effusion", "the", "12", ".", END, "##dule", "left"] if is_word(piece)] == [
        "effusion",
        "left",
    ]


def test_runs_that_write_nothing_are_refused(convirt, refers):
    with pytest.raises(ValueError, match=r"\(convirt\) does not tell where"):
        ReportReader(convirt.run, device="cpu")
    with pytest.raises(FileNotFoundError):
        ReportReader(refers, store="nowhere", device="cpu")
