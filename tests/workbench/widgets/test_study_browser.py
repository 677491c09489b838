"""Leafing through studies: the choice, the place in it, the widget that moves it."""

import ipywidgets
import numpy as np
import pytest

from lib.data.splits import make_manifest
from workbench.widgets.display import PLOTLY
from workbench.widgets.study_browser import EVERY_LABEL, StudyBrowser


@pytest.fixture(scope="module")
def manifest(phantom_store):
    return make_manifest(phantom_store, fractions=(0.5, 0.25, 0.25))


@pytest.fixture
def browser(phantom_store, manifest):
    return StudyBrowser(phantom_store, manifest)


@pytest.fixture
def label(phantom_store):
    """Return a label that some studies have."""
    return phantom_store.label_names[int((phantom_store.labels == 1).sum(axis=0).argmax())]


def test_it_begins_with_every_study_at_one_that_has_boxes(browser, phantom_store):
    assert browser.rows.tolist() == list(range(len(phantom_store)))
    study_id = phantom_store.studies["study_id"][browser.place]
    marked = set(phantom_store.views["study_id"][phantom_store.boxes["view_row"]])
    assert study_id in marked
    assert browser.caption == f"{browser.place + 1} of {len(phantom_store)}"


def test_a_label_keeps_the_studies_that_have_it(browser, phantom_store, label):
    browser.choose(label)
    column = phantom_store.studies[f"label/{label}"]
    assert browser.rows.tolist() == np.flatnonzero(column == 1).tolist() != []


def test_a_split_and_a_label_together(browser, phantom_store, manifest, label):
    browser.choose(label, "train")
    positive = phantom_store.studies[f"label/{label}"] == 1
    assert browser.rows.tolist() == [row for row in manifest.rows("train") if positive[row]]


def test_only_labels_that_some_study_has_are_offered(browser, phantom_store):
    counts = (phantom_store.labels == 1).sum(axis=0)
    assert browser.labels == [
        name for name, count in zip(phantom_store.label_names, counts, strict=True) if count
    ]


def test_the_ends_hold(browser, phantom_store):
    browser.go_to(10_000)
    assert browser.place == len(phantom_store) - 1
    browser.go_to(-3)
    assert browser.place == 0


def test_an_unknown_choice_is_refused(browser):
    with pytest.raises(ValueError, match="no label 'Fracture'; it has Cardiomegaly"):
        browser.choose("Fracture")
    with pytest.raises(ValueError, match="no split 'dev'; there are train, validation, test"):
        browser.choose(EVERY_LABEL, "dev")


def test_an_empty_choice_shows_nothing(browser, phantom_store):
    column = f"label/{phantom_store.label_names[0]}"
    browser.rows = np.flatnonzero(phantom_store.studies[column] == 7)
    assert browser.static() is None
    assert browser.caption == "no such study"


def test_the_figure_is_the_study_looked_at(browser, phantom_store):
    browser.go_to(4)
    figure = browser.static()
    assert phantom_store.studies["study_id"][4] in figure.layout.title.text
    assert "synthetic" in figure.layout.title.text
    views = phantom_store.view_offsets[5] - phantom_store.view_offsets[4]
    assert sum(trace.type == "image" for trace in figure.data) == views


def test_the_widget_moves_the_model_and_draws_it(browser, phantom_store, manifest, label):
    controls, picture = browser.live().children
    menu, split, back, place, onward, caption = controls.children
    assert isinstance(picture, ipywidgets.Output)
    menu.value = label
    assert place.max == len(browser.rows) - 1
    place.value = place.max
    row = int(browser.rows[-1])
    assert caption.value == browser.caption
    assert phantom_store.studies["study_id"][row] in str(
        picture.outputs[0]["data"][PLOTLY]["layout"]["title"]
    )
    place.value = 0
    onward.click()
    onward.click()
    back.click()
    assert (browser.place, place.value) == (1, 1)
    split.value = "test"
    assert set(browser.rows) <= set(manifest.rows("test"))
