"""Where a phrase fits a study: numbers, choices, messages, the static twin and the widget."""

import dataclasses
import html

import numpy as np
import pytest
import torch
from tiny_world import make_world

from lib.explain.phrase import phrase_similarity
from workbench.embedded import Opened
from workbench.study_reading.phrase_reader import PhraseReader
from workbench.train import pretrain
from workbench.widgets.phrase_regions import ABOVE, BEYOND, PhraseRegions, phrase_regions
from workbench.widgets.refusal import Refusal

pytestmark = pytest.mark.usefixtures("one_thread")

PHRASE = "There is an opacity on the left."


@pytest.fixture(scope="module")
def reader(convirt) -> PhraseReader:
    return PhraseReader(convirt.run, device="cpu")


@pytest.fixture
def view(reader) -> PhraseRegions:
    view = PhraseRegions(reader)
    view.ask(PHRASE)
    return view


def test_numbers_are_those_of_the_model(view, reader):
    pairs, objective = reader.opened.pairs, reader.opened.objective
    text = torch.from_numpy(pairs.embed_texts([PHRASE]))
    expected = phrase_similarity(objective, view.study.images[0], text)[:, 0]
    np.testing.assert_allclose(view.reading.places, expected.numpy(), rtol=1e-5)
    whole = objective.embed_images(view.study.images[0]) @ text[0]
    np.testing.assert_allclose(view.reading.whole, whole.numpy(), atol=1e-6)
    assert len(view.study.positions) == 2  # each view once, however many the study has


def test_colours_are_the_places_beyond_the_mean_or_above_zero(view):
    places = view.reading.places
    view.show_as(ABOVE)
    above = [layer.heat.max() for layer in view.layers()]
    view.show_as(BEYOND)
    beyond = (places - places.mean(axis=(1, 2), keepdims=True)).clip(min=0)
    assert [layer.heat.max() for layer in view.layers()] != above
    assert f"{beyond.max():.2f} more" == view.scale[1]
    best = np.unravel_index(beyond.argmax(), beyond.shape)
    heat = view.layers()[best[0]].heat
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert ((row - 2) // 8, (column - 2) // 8) == best[1:]  # 4 x 4 places of 8 px, 2 px from the edge
    assert f"{view.reading.whole[0]:.2f}" in view.layers()[0].text


def test_a_phrase_that_fits_nowhere_is_said(view):
    view.reading = dataclasses.replace(view.reading, places=-np.ones_like(view.reading.places))
    for mode in (ABOVE, BEYOND):
        view.show_as(mode)
        assert "No place fits the phrase" in view.warning
        assert all(not layer.heat.any() for layer in view.layers())
    assert "No place fits" in view.static()[0]


@pytest.mark.parametrize("phrase", ["", "  ", "?!", "\u65e5\u672c"])
def test_what_cannot_be_read_is_said_and_the_phrase_before_stays(view, phrase):
    before = view.reading
    view.ask(phrase)
    assert view.message and view.phrase == PHRASE and view.reading is before
    view.ask("The lungs are clear.")
    assert view.message == "" and view.reading is not before


def test_the_phrase_goes_with_a_person_from_study_to_study(view, reader):
    before = view.reading
    view.go_to(view.place + 1)
    assert view.phrase == PHRASE and view.reading is not before
    view.find("nobody")
    assert "no study or patient 'nobody'" in view.warning
    view.find(reader.studies.study_ids[0])
    assert view.place == 0 and view.warning == ""
    view.go_to(-3)
    assert view.place == 0


def test_a_click_tells_the_value(view):
    view.touch(0, 20.0, 11.0)
    row, column = 1, 2
    assert f"here {view.reading.places[0, row, column]:.2f}" in view.layers()[0].text
    assert view.layers()[0].spot == (18, 10, 26, 18) and view.layers()[1].spot is None
    view.touch(0, 1.0, 11.0)
    assert "does not see" in view.message and view.layers()[0].spot is None


def test_it_begins_with_a_sentence_of_the_report(reader, monkeypatch):
    view = PhraseRegions(reader)
    assert view.phrase == view.sentences()[0]
    studies = reader.store.studies.assign(findings="", impression="")
    monkeypatch.setattr(reader.store, "studies", studies)
    view = PhraseRegions(reader)
    assert view.sentences() == [] and view.phrase.startswith("There is")


def test_the_static_twin(view):
    (page,) = view.static()
    views, sentences = len(view.study.positions), len(view.sentences())
    assert page.count("<img") == views * (1 + sentences)
    assert html.escape(view.title) in page and "cosine" in page


def test_the_widget_shows_and_passes_on(view):
    head, asked, studies, message, panes, scale = view.live().children
    phrase, sentence, _ = asked.children
    back, place, onward, name, mode, _ = studies.children
    assert phrase.value == PHRASE and len(panes.pictures) == 2 == len(panes.layers)
    before = panes.layers
    phrase.value = "The lungs are clear."
    assert view.phrase == "The lungs are clear." and panes.layers != before
    phrase.value = "???"
    assert "no word" in message.value and phrase.value == "The lungs are clear."
    sentence.value = view.sentences()[0]
    assert view.phrase == view.sentences()[0] and sentence.value == ""
    mode.value = ABOVE
    assert view.mode == ABOVE and "cosine 0" in scale.value
    panes.touched = [0, 20.0, 11.0, 1]
    assert "here" in panes.layers[0]["text"]
    pictures = panes.pictures
    onward.click()
    assert panes.pictures is not pictures and place.value == view.place
    back.click()
    name.value = "<b>"
    assert "&lt;b&gt;" in message.value
    assert html.escape(view.title) in head.value


def test_a_refers_run_compares_phrases_too(refers):
    view = phrase_regions(refers, phrase=PHRASE, device="cpu")
    assert view.phrase == PHRASE and "no word" not in view.warning
    opened = Opened(refers)
    images = view.study.images[0]
    wanted = opened.objective.embed_images(images) @ torch.from_numpy(opened.pairs.embed_texts([PHRASE]))[0]
    np.testing.assert_allclose(view.reading.whole, wanted.numpy(), rtol=1e-4, atol=1e-6)


def test_what_cannot_be_shown_is_said_in_the_place_of_the_view(convirt, tmp_path):
    world = make_world(tmp_path)
    writing = ["objective.contrastive_weight=0", "train.steps=4", "train.validate_every=4"]
    writer = pretrain(world.pretrain, writing, root=world.root, progress=False)
    refused = phrase_regions(writer, device="cpu")
    assert isinstance(refused, Refusal) and "(refers) compares no phrase" in refused.static()
    view = phrase_regions(convirt.run, phrase=PHRASE, study="nobody", device="cpu")
    assert view.phrase == PHRASE and "no word" not in view.warning
    assert "There is no word" in phrase_regions(convirt.run, phrase="?", device="cpu").warning
