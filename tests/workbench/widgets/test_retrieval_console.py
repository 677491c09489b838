"""The retrieval console: what was asked, who is ranked, what is said; and the widget that passes it on."""

import numpy as np
import pytest

from workbench.picture_search import PictureSearch
from workbench.widgets.display import PLOTLY
from workbench.widgets.retrieval_console import RetrievalConsole

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def search(convirt) -> PictureSearch:
    return PictureSearch(convirt.run, device="cpu")


@pytest.fixture
def console(search) -> RetrievalConsole:
    return RetrievalConsole(search, sentence="There is an opacity on the left.", k=4)


@pytest.fixture
def twin(search) -> int:
    """Return a picture whose patient has another study in the split."""
    names, counts = np.unique(search.patients, return_counts=True)
    assert counts.max() > 1
    return int(np.flatnonzero(search.patients == names[counts.argmax()])[0])


def studies(console, places):
    return console.search.store.studies["study_id"].to_numpy()[console.search.study_rows[places]].tolist()


def test_it_answers_with_the_best_first(console, search):
    scores = search.by_sentence("There is an opacity on the left.")
    assert console.candidates.tolist() == sorted(
        range(len(scores)), key=lambda place: (-scores[place], place)
    )
    assert console.scores.tolist() == sorted(scores, reverse=True)
    assert console.best.tolist() == console.candidates[:4].tolist()
    table = console.table()
    places = [table.index(name) for name in studies(console, console.best)]
    assert places == sorted(places) and table.count("<img") == 4
    assert studies(console, console.candidates[4:5])[0] + "<" not in table
    assert f"{console.scores[0]:.3f}" in table


def test_a_picture_is_not_found_by_itself(search, twin):
    console = RetrievalConsole(search, picture=twin, apart=False)
    assert twin not in console.candidates and len(console.candidates) == len(search) - 1
    assert console.table().count("<img") == 11 and "looked with" in console.table()


def test_the_same_patient_is_left_out_unless_asked_for(search, twin):
    console = RetrievalConsole(search, picture=twin)
    same = np.flatnonzero(search.patients == search.patients[twin])
    assert not set(same) & set(console.candidates)
    assert len(console.candidates) == len(search) - len(same)
    assert f"{len(same) - 1} more of the patient left out" in console.caption
    console.keep_apart(False)
    assert set(same) - {twin} <= set(console.candidates)
    assert "among them" in console.caption


def test_a_sentence_has_no_patient(console, search):
    before = console.candidates.tolist()
    console.keep_apart(False)
    assert console.candidates.tolist() == before and len(before) == len(search)
    assert "patient" not in console.caption


@pytest.mark.parametrize("sentence", ["", "  ", "?!", "\u65e5\u672c"])
def test_what_cannot_be_asked_is_said_and_the_answer_before_stays(console, sentence):
    before = console.candidates.tolist()
    console.ask(sentence)
    assert console.message and "Traceback" not in console.message
    assert console.sentence == "There is an opacity on the left."
    assert console.candidates.tolist() == before
    console.ask("The lungs are clear.")
    assert console.message == ""


def test_a_sentence_that_is_refused_at_the_start_leaves_a_picture(search):
    console = RetrievalConsole(search, sentence="...")
    assert console.picture is not None and "no word" in console.message
    assert "no word" in console.static()[1]


def test_it_finds_studies_and_patients_by_name(search, twin):
    console = RetrievalConsole(search, picture=0)
    console.find(f" {studies(console, [7])[0]} ")
    assert console.picture == 7
    same = np.flatnonzero(search.patients == search.patients[twin])
    visited = []
    console.pick(0 if same[0] else 1)
    for _ in range(3):
        console.find(search.patients[twin])
        visited.append(console.picture)
    assert visited[0] != visited[1] and set(visited) <= set(same)
    console.find("nobody")
    assert "no study or patient 'nobody'" in console.message and console.picture == visited[-1]
    console.find("")
    assert console.picture == visited[-1]


def test_what_was_found_can_be_looked_with(console):
    second = console.best[1]
    console.like(2)
    assert (console.picture, console.sentence) == (second, "")
    assert studies(console, [second])[0] in console.title
    console.like(10_000)
    assert console.picture is not None
    before = console.picture
    console.surprise()
    assert console.picture != before  # with this seed


def test_ends_hold(console, search):
    console.show_best(0)
    assert console.k == 1
    console.show_best(10_000)
    assert console.k == 50
    console.pick(10_000)
    assert console.picture == len(search) - 1


def test_labels_that_are_common_among_the_best_are_counted(console, search):
    positive = search.labels == 1
    label = list(search.store.label_names).index("opacity")
    console.candidates = np.argsort(~positive[:, label], kind="stable")  # all that have it first
    share = positive[:, label].mean()
    assert f"opacity 4 (by chance {4 * share:.1f})" in console.caption
    console.candidates = console.candidates[::-1]
    assert "opacity" not in console.caption


def test_what_a_data_set_or_a_person_wrote_is_no_markup(search, monkeypatch):
    monkeypatch.setattr(search.store, "texts", ["<b>left</b> & so on"] * len(search.store))
    console = RetrievalConsole(search, sentence="clear <script>")
    table = console.table()
    assert "<script>" not in table and "clear &lt;script&gt;" in table
    assert "&lt;b&gt;" in table and "<b>left" not in table


def test_without_anybody_else_it_says_so(search, monkeypatch):
    monkeypatch.setattr(search, "patients", np.full(len(search), "one"))
    console = RetrievalConsole(search, picture=0)
    assert console.table().count("<img") == 1
    assert "nobody else" in console.histogram().layout.title.text


def test_the_static_twin_is_the_table_and_the_scores(console, search):
    figure, table = console.static()
    assert table == console.table() and "not patients" in table
    assert sum(figure.data[0].y) == len(search)
    assert list(figure.data[1].x) == console.scores[:4].tolist()
    assert "not patients" in figure.layout.title.text
    console.pick(0)
    assert "cosine" in console.histogram().layout.xaxis.title.text


class Shell:
    """The widget of a console, its controls by what they are."""

    def __init__(self, console):
        asked, chosen, self.message, self.scores, self.table = console.live().children
        self.sentence, self.example = asked.children
        self.name, self.dice, self.like, self.apart, self.number = chosen.children


def test_the_widget_asks_and_shows(console, search, twin):
    shell = Shell(console)
    assert shell.sentence.value == console.sentence and shell.apart.disabled
    shell.sentence.value = "The lungs are clear."
    assert console.sentence == "The lungs are clear." and shell.table.value == console.table()
    assert shell.scores.outputs[0]["data"][PLOTLY]["data"][1]["x"] is not None
    first = console.best[0]
    shell.like.value = 1
    assert console.picture == first and not shell.apart.disabled
    assert (shell.sentence.value, shell.like.value) == ("", 0)
    shell.name.value = studies(console, [twin])[0]
    assert (console.picture, shell.name.value) == (twin, "")
    shell.apart.value = False
    assert not console.apart and "among them" in shell.table.value
    shell.number.value = 7
    assert console.k == 7 and shell.table.value.count("<img") == 8
    shell.dice.click()
    assert console.picture != twin and shell.table.value == console.table()


def test_the_widget_says_what_cannot_be_asked(console):
    shell = Shell(console)
    shell.sentence.value = "???"
    assert "no word" in shell.message.value
    assert shell.sentence.value == console.sentence == "There is an opacity on the left."
    shell.sentence.value = "a <b> xylophone"
    assert "xylophone" in shell.message.value
    shell.sentence.value = "The lungs are clear."
    assert "><" in shell.message.value  # nothing to say


def test_an_example_of_each_known_label_is_offered(console, monkeypatch):
    assert console.examples() == []  # no prompts for the labels of this store
    monkeypatch.setattr(console.search.store, "label_names", ("Edema", "opacity"))
    ((name, sentence),) = console.examples()
    assert name == "Edema" and "edema" in sentence.lower()


def test_without_texts_only_pictures_are_offered(search, monkeypatch):
    monkeypatch.setattr(search, "_pairs", None)
    console = RetrievalConsole(search, sentence="The lungs are clear.")
    assert console.picture is not None and "embeds no texts" in console.message
    shell = Shell(console)
    assert shell.sentence.disabled and shell.example.disabled and not shell.name.disabled
