"""Leafing through studies: the choice, the place in it, the widget that moves it."""

import numpy as np
import pytest

from lib.data.splits import make_manifest
from workbench.study_filter import ANY, NO_SPLIT
from workbench.widgets.display import PLOTLY
from workbench.widgets.study_browser import StudyBrowser


@pytest.fixture(scope="module")
def manifest(flagged_store):
    return make_manifest(flagged_store, fractions=(0.5, 0.25, 0.25), leave_out=["blank"])


@pytest.fixture
def browser(flagged_store, manifest):
    return StudyBrowser(flagged_store, manifest)


@pytest.fixture
def label(flagged_store):
    """Return a label that some studies have."""
    return flagged_store.label_names[int((flagged_store.labels == 1).sum(axis=0).argmax())]


def title(output):
    return output.outputs[0]["data"][PLOTLY]["layout"]["title"]["text"]


def test_it_begins_with_every_study_at_one_that_has_boxes(browser, flagged_store, manifest):
    assert browser.rows.tolist() == list(range(len(flagged_store)))
    study = flagged_store.studies.iloc[browser.place]
    marked = set(flagged_store.views["study_id"][flagged_store.boxes["view_row"]])
    assert study.study_id in marked
    split = next(name for name in ("train", "validation", "test") if browser.place in manifest.rows(name))
    patients = flagged_store.studies["patient_id"].nunique()
    assert browser.caption == (
        f"{browser.place + 1} of 12 studies of {patients} patients | "
        f"this one: patient {study.patient_id}, {split}"
    )


def test_conditions_come_together_until_they_are_taken_back(browser, flagged_store, manifest, label):
    browser.choose(label=label)
    positive = flagged_store.studies[f"label/{label}"] == 1
    assert browser.rows.tolist() == np.flatnonzero(positive).tolist() != []
    browser.choose(split="train")
    assert browser.rows.tolist() == [row for row in manifest.rows("train") if positive[row]]
    browser.clear()
    assert len(browser.rows) == len(flagged_store)


def test_the_ends_hold(browser, flagged_store):
    browser.go_to(10_000)
    assert browser.place == len(flagged_store) - 1
    browser.go_to(-3)
    assert browser.place == 0


def test_a_refused_choice_changes_nothing(browser):
    browser.choose(sex="F")
    before = browser.rows.tolist()
    with pytest.raises(ValueError, match="no split 'dev'"):
        browser.choose(split="dev")
    assert (browser.rows.tolist(), browser.filter.split) == (before, "")


def test_an_empty_choice_says_what_to_take_back(browser, flagged_store):
    women = int((flagged_store.studies["sex"] == "F").sum())
    browser.choose(sex="F", words="no such words")
    assert browser.caption == f"No study meets all of these conditions: without the words there are {women}."
    browser.choose(flag="mirrored")
    assert browser.caption.endswith("take several back.")
    assert "No such study" in browser.static().layout.title.text
    assert "No such study" in browser.sheet().layout.title.text


def test_it_jumps_to_a_study_a_patient_or_a_view(browser, flagged_store):
    studies, views = flagged_store.studies, flagged_store.views
    browser.find(f" {studies.study_id[7]} ")
    assert (browser.place, browser.message) == (7, "")
    browser.find(views.view_id[flagged_store.view_offsets[4]])
    assert browser.place == 4
    browser.find(studies.patient_id[9])
    assert studies.patient_id[browser.rows[browser.place]] == studies.patient_id[9]


def test_asked_again_it_goes_round_the_studies_of_a_patient(flagged_store):
    browser = StudyBrowser(flagged_store)
    flagged_store.studies.loc[[2, 5, 8], "patient_id"] = "of three"
    browser.go_to(0)
    visited = []
    for _ in range(4):
        browser.find("of three")
        visited.append(browser.place)
    assert visited == [2, 5, 8, 2]


def test_part_of_an_id_goes_to_the_next_study_that_has_it(browser, flagged_store):
    browser.go_to(0)
    browser.find("00001")
    rows = [row for row, name in enumerate(flagged_store.studies.study_id) if "00001" in name]
    assert browser.rows[browser.place] == next(row for row in rows if row > 0)
    assert f"{len(rows)} study ids contain '00001'." in browser.caption


def test_a_study_outside_the_choice_ends_the_choice(browser, flagged_store):
    browser.choose(sex="F")
    man = int(np.flatnonzero(flagged_store.studies["sex"] == "M")[-1])
    browser.find(flagged_store.studies.study_id[man])
    assert (browser.rows[browser.place], len(browser.rows)) == (man, len(flagged_store))
    assert "taken back" in browser.caption
    browser.find("nobody")
    assert "There is no study, patient or view 'nobody'." in browser.caption
    assert browser.rows[browser.place] == man


def test_only_what_these_studies_differ_by_is_offered(browser, flagged_store, phantom_store):
    offers = {name: [value for _, value in menu] for name, menu in browser.offers().items()}
    assert offers["split"] == ["", "train", "validation", "test", NO_SPLIT]
    assert offers["flag"] == ["", ANY, "identical", "inverted", "blank"]
    assert offers["sex"][0] == "" and set(offers["sex"]) == {"", "F", "M"}
    assert offers["reader"] == ["", ANY, *sorted(flagged_store.boxes["reader"].unique())]
    assert set(offers["label"][1:]) == set(flagged_store.label_names)
    plain = StudyBrowser(phantom_store).offers()
    assert "split" not in plain and "flag" not in plain


def test_the_whole_range_of_ages_asks_for_nothing(browser, flagged_store):
    first, last = browser.ages
    browser.choose_ages(first + 10, last)
    ages = flagged_store.studies["age"]
    assert browser.rows.tolist() == np.flatnonzero(ages >= first + 10).tolist() != list(range(12))
    browser.choose_ages(first, last)
    assert len(browser.rows) == len(flagged_store)
    assert (browser.filter.youngest, browser.filter.oldest) == (0, np.inf)


def test_the_figure_is_the_study_looked_at_with_its_words_marked(browser, flagged_store):
    browser.choose(words="the")
    row = browser.rows[browser.place]
    figure = browser.static()
    assert flagged_store.studies["study_id"][row] in figure.layout.title.text
    assert "synthetic" in figure.layout.title.text
    assert "stroke:" in figure.layout.annotations[-1].text


def test_the_sheet_frames_the_study_looked_at(browser):
    browser.go_to(9)
    sheet = browser.sheet()
    assert len(sheet.data[1].hovertext) == 12
    assert sheet.layout.title.text.startswith("1 to 12 of 12 studies")
    (frame,) = sheet.layout.shapes
    assert (frame.x0, frame.y0) == (1 * 122, 1 * 122)  # second of the second row of eight
    browser.go_to(0)
    (frame,) = browser.sheet().layout.shapes
    assert (frame.x0, frame.y0) == (0, 0)
    browser.choose(sex="F")
    assert len(browser.sheet().data[1].hovertext) == len(browser.rows) < 12


class Shell:
    """The widget of a browser, its controls by what they are."""

    def __init__(self, browser):
        self.box = browser.live()
        asked, moves, self.caption, self.picture, self.sheet = self.box.children
        self.menus = {menu.options[0][0]: menu for menu in asked.children if hasattr(menu, "options")}
        self.words, self.clear = asked.children[-2:]
        self.ages = asked.children[-3]
        self.back, self.place, self.onward, self.name, self.toggle = moves.children


def test_the_widget_moves_the_model_and_draws_it(browser, flagged_store, label):
    shell = Shell(browser)
    shell.menus["every label"].value = label
    assert shell.place.max == len(browser.rows) - 1
    shell.place.value = shell.place.max
    assert shell.caption.value == browser.caption
    assert flagged_store.studies["study_id"][int(browser.rows[-1])] in title(shell.picture)
    shell.place.value = 0
    shell.onward.click()
    shell.onward.click()
    shell.back.click()
    assert (browser.place, shell.place.value) == (1, 1)
    shell.place.value = 0
    shell.back.click()
    assert browser.place == 0


def test_every_control_of_the_widget_reaches_the_filter(browser, label):
    shell = Shell(browser)
    presence = next(menu for name, menu in shell.menus.items() if name == "p")
    assert presence.disabled
    shell.menus["every label"].value = label
    assert not presence.disabled
    presence.value = "absent"
    shell.menus["every split"].value = "train"
    shell.menus["every view"].value = "LATERAL"
    shell.menus["every sex"].value = "F"
    shell.menus["flagged or not"].value = ANY
    shell.menus["boxes or none"].value = ANY
    shell.words.value = "left"
    shell.ages.value = (shell.ages.min + 1, shell.ages.max)
    wanted = browser.filter
    assert (wanted.label, wanted.presence, wanted.split, wanted.position) == (
        label,
        "absent",
        "train",
        "LATERAL",
    )
    assert (wanted.sex, wanted.flag, wanted.reader, wanted.words) == ("F", ANY, ANY, "left")
    assert wanted.youngest == shell.ages.min + 1
    shell.clear.click()
    assert len(browser.rows) == 12
    assert [menu.value for menu in shell.menus.values()] == ["", "present", *[""] * 5]
    assert shell.words.value == "" and shell.ages.value == (shell.ages.min, shell.ages.max)


def test_a_name_is_jumped_to_and_the_line_is_empty_again(browser, flagged_store):
    shell = Shell(browser)
    shell.name.value = flagged_store.studies.study_id[5]
    assert (browser.place, shell.place.value, shell.name.value) == (5, 5, "")


def test_the_sheet_comes_and_goes(browser):
    shell = Shell(browser)
    assert shell.sheet.outputs == ()
    shell.toggle.value = True
    assert title(shell.sheet).startswith("1 to 12")
    shell.toggle.value = False
    assert shell.sheet.outputs == ()
