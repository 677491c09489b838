"""Words and the views they are read off: choices, clicks, messages, static twin, widget."""

import dataclasses
import html
import re
import types

import numpy as np
import pandas as pd
import pytest

from workbench.study_reading.report_reader import TRUE, WRITTEN, ReportReader
from workbench.study_reading.shown_attention import APART, ATTENTION, MEAN, PASSED
from workbench.study_reading.shown_reading import CERTAINTY, PLACE, SHARPNESS
from workbench.widgets.display import View
from workbench.widgets.refusal import Refusal
from workbench.widgets.report_attention import ReportAttention, report_attention

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def reader(refers) -> ReportReader:
    return ReportReader(refers, device="cpu")


@pytest.fixture
def view(reader) -> ReportAttention:
    return ReportAttention(reader, source=TRUE)


def plain(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def test_it_begins_with_several_views_and_a_word_that_says_something(view):
    assert len(view.reading.study.positions) == 2
    word = view.reading.pieces[view.word]
    assert word.isalpha() and len(word) > 3
    assert view.mode == PASSED  # what is read, not what is looked at in vain
    peaks = view.shown.maps.max(axis=(1, 2, 3))
    said = [piece.isalpha() and len(piece) > 3 for piece in view.reading.pieces]
    assert peaks[view.word] == peaks[said].max()


def test_words_are_coloured_by_what_was_chosen(view):
    maps = view.shown.maps
    assert view.colour == SHARPNESS
    tints = [word.tint for word in view.shown.words()]
    assert np.argmax(tints) in np.flatnonzero(maps.max(axis=(1, 2, 3)) >= view.shown.most)
    view.colour_by(1)
    shares = [word.tint for word in view.shown.words()]
    np.testing.assert_allclose(shares, maps[:, 1].mean(axis=(1, 2)) / 2, rtol=1e-4)
    assert "% on LATERAL" in view.shown.words()[0].hint
    view.colour_by(CERTAINTY)
    np.testing.assert_allclose([word.tint for word in view.shown.words()], view.reading.probabilities)


def test_a_place_that_is_clicked_colours_the_words(view):
    view.colour_by(PLACE)
    assert "click on a view" in view.message and view.colour == SHARPNESS
    view.touch(1, 21.0, 11.0)  # the third place of the second row: borders at 2, 10, 18, 26, 34
    assert view.spot == (1, 1, 2) and view.colour == PLACE and view.message == ""
    here = view.shown.maps[:, 1, 1, 2]
    np.testing.assert_allclose([word.tint for word in view.shown.words()], here / here.max(), rtol=1e-5)
    empty, marked = view.shown.layers(view.word)
    assert empty.spot is None and marked.spot == (18, 10, 26, 18)
    view.touch(1, 25.9, 17.9)  # the same place once more takes it back
    assert view.spot is None and view.colour == SHARPNESS


@pytest.mark.parametrize("spot", [(0, 1.0, 20.0), (0, 20.0, 35.0), (2, 20.0, 20.0), (-1, 20.0, 20.0)])
def test_what_the_model_does_not_see_cannot_be_clicked(view, spot):
    view.touch(*spot)
    assert "does not see" in view.message and view.spot is None
    assert "does not see" in view.static()[0]


def test_maps_lie_on_the_views_in_one_scale(view):
    shown = view.shown
    heats = [np.stack([layer.heat for layer in shown.layers(word)]) for word in range(len(shown.maps))]
    assert all(heat.shape == (2, 36, 36) and heat.min() >= 0 and heat.max() <= 1 for heat in heats)
    weak = int(shown.maps.max(axis=(1, 2, 3)).argmin())
    view.scale_alike(False)
    own = view.shown
    assert np.stack([layer.heat for layer in own.layers(weak)]).max() > heats[weak].max()
    assert "of this word" in view.scale[1]
    weights = [layer.bars["view weight"] for layer in own.layers(weak)]
    assert sum(weights) == pytest.approx(1, abs=1e-5)


def test_heads_modes_and_layers(view):
    before = view.shown.maps
    view.choose_head(1)
    assert not np.allclose(view.shown.maps, before) and "head 2 of 2" in view.note
    view.choose_head(MEAN)
    assert np.allclose(view.shown.maps, before)
    view.show_as(APART)
    assert (view.shown.maps.min(axis=0) == 0).all() and "beyond the mean" in view.note
    assert view.menu("layer") == [("layer 1", 0)] and view.layer == 0


def test_attention_on_a_closed_view_is_said(view, monkeypatch):
    monkeypatch.setattr(view.reader, "fuses", True)
    maps = np.zeros_like(view.reading.maps)
    maps[:, :, :, 0] = 1 / 16
    weights = np.array([0.02, 0.98], np.float32)
    view.reading = dataclasses.replace(view.reading, maps=maps, view_weights=weights)
    view.show_as(ATTENTION)
    assert "100% of this word's attention rests on PA" in view.warning and "2% through" in view.warning
    view.show_as(PASSED)
    assert "rests on" not in view.warning


def test_a_map_of_zeros_is_said(view):
    view.show_as(PASSED)
    view.reading = dataclasses.replace(view.reading, passed=np.zeros_like(view.reading.passed))
    assert "zero everywhere" in view.warning
    assert all(not layer.heat.any() for layer in view.shown.layers(view.word))
    assert "zero everywhere" in view.static()[0]


def test_it_finds_studies_and_says_where_there_is_none(view):
    other = view.reader.studies.study_ids[(view.place + 1) % len(view.reader.studies)]
    view.find(f" {other} ")
    assert view.reading.study.study_id == other and view.message == ""
    view.find("nobody")
    assert "no study or patient 'nobody' in the test split" in view.warning
    assert view.reading.study.study_id == other
    view.go_to(10_000)
    assert view.place == len(view.reader.studies) - 1
    view.look_at(-5)
    assert view.word == 0
    view.look_at(10_000)
    assert view.word == len(view.reading.pieces) - 1 and "(end)" in view.caption


def test_without_a_true_report_the_written_one_is_shown(view, monkeypatch):
    monkeypatch.setattr(view.reader.store, "texts", [""] * len(view.reader.store))
    view.reader._kept.clear()
    view.read(TRUE)
    assert view.source == WRITTEN and "has no report" in view.warning
    assert view.other_report()[1] == "" and "no report" in view.static()[0]


def test_a_study_with_fewer_views_takes_the_colour_back(view):
    view.colour_by(1)
    counts = np.diff(view.reader.store.view_offsets)[view.reader.studies.rows]
    view.go_to(int(np.flatnonzero(counts == 1)[0]))
    assert view.colour == SHARPNESS and len(view.shown.layers(0)) == 1


def test_the_static_twin_shows_word_and_views(view):
    (page,) = view.static()
    text = plain(page)
    assert isinstance(view, View) and "test split" in text
    assert view.title in text and view.caption in text and view.reader.run.id in text
    assert page.count("<img") == 2 + 2 * len(view.shown.sharpest())
    assert "view weight" in text and "even shares" in text
    assert view.menu("source")[0][0] in text  # the other report


def test_boxes_of_readers_are_drawn_and_nothing_of_a_data_set_is_markup(view, monkeypatch):
    store = view.reader.store
    row = int(view.reading.study.view_rows[0])
    columns = ["view_row", "view_id", "finding", "x0", "y0", "x1", "y1", "reader"]
    boxes = pd.DataFrame([[row, "v", "<b>mass", 4.0, 5.0, 9.0, 12.0, "R1"]], columns=columns)
    monkeypatch.setattr(store, "boxes", boxes)
    monkeypatch.setattr(store, "texts", ["<script>x</script> left"] * len(store))
    before = view.static()[0]
    view.reader._kept.clear()
    view.read(WRITTEN)
    pictures = view.shown.pictures()
    assert pictures[0].boxes.tolist() == [[4, 5, 9, 12]] and len(pictures[1].boxes) == 0
    page = view.static()[0]
    assert page != before and "<script>" not in page and "&lt;script&gt;" in page
    view.reader._kept.clear()


class Shell:
    """The widget of a view, its controls by what they are."""

    def __init__(self, view):
        self.head, studies, choices, both = view.live().children
        self.back, self.place, self.onward, self.name, self.source = studies.children
        self.mode, self.layer, self.hd, self.colour, self.alike, self.opacity = choices.children
        self.panes, words = both.children
        self.strip, self.word, self.message, self.caption, self.below = words.children


def test_the_widget_shows_and_passes_on(view):
    shell = Shell(view)
    assert len(shell.panes.pictures) == len(shell.panes.layers) == 2
    assert [word["text"] for word in shell.strip.words][-1] == "(end)"
    assert shell.strip.chosen == view.word == shell.word.value
    before = [layer["heat"] for layer in shell.panes.layers]
    pictures = shell.panes.pictures
    shell.strip.chosen = 0
    assert view.word == 0 == shell.word.value and "token 1 of" in shell.caption.value
    assert [layer["heat"] for layer in shell.panes.layers] != before
    assert shell.panes.pictures is pictures  # they are not sent again
    shell.word.value = 2
    assert view.word == 2 == shell.strip.chosen
    shell.panes.touched = [1, 21.0, 11.0, 1]
    assert view.spot == (1, 1, 2) and shell.colour.value == PLACE
    assert shell.panes.layers[1]["spot"] == [18, 10, 26, 18]
    shell.panes.touched = [1, 0.0, 0.0, 2]
    assert "does not see" in shell.message.value
    shell.mode.value = ATTENTION
    shell.hd.value = 1
    shell.colour.value = CERTAINTY
    shell.alike.value = False
    assert (view.mode, view.head, view.colour, view.one_scale) == (ATTENTION, 1, CERTAINTY, False)
    shell.source.value = WRITTEN
    assert view.source == WRITTEN and shell.word.max == len(view.reading.pieces) - 1
    here = view.place
    shell.onward.click()
    assert view.place == min(here + 1, len(view.reader.studies) - 1) == shell.place.value
    shell.back.click()
    shell.place.value = 0
    assert view.place == 0 and shell.panes.pictures is not pictures
    shell.name.value = "<b>nobody"
    assert "&lt;b&gt;nobody" in shell.message.value and shell.name.value == ""
    assert shell.layer.layout.display == "none"  # there is one only


def test_the_choices_of_a_run_without_fusion_are_fewer(view, monkeypatch):
    monkeypatch.setattr(view.reader, "fuses", False)
    assert PASSED not in dict(map(reversed, view.menu("mode")))
    assert list(view.shown.layers(0)[0].bars) == ["attention"]


def test_what_cannot_be_shown_is_said_in_the_place_of_the_view(convirt, refers):
    for run, wanted, options in (
        (convirt.run, "does not tell where", {}),
        (refers, "is not a store", {"store": "nowhere"}),
        (refers, "not one of written", {"source": "both"}),
        (types.SimpleNamespace(config={"task": "finetune"}, id="r1"), "is no pre-training", {}),
    ):
        refused = report_attention(run, device="cpu", **options)
        assert isinstance(refused, Refusal) and isinstance(refused, View)
        assert wanted in refused.static() and refused.live().value == refused.static()
        assert "Traceback" not in refused.static()


def test_a_study_can_be_asked_for_at_once(refers, reader):
    wanted = reader.studies.study_ids[3]
    assert report_attention(refers, study=wanted, device="cpu").reading.study.study_id == wanted
    assert "nobody" in report_attention(refers, study="nobody", device="cpu").warning
