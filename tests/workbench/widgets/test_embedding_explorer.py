"""The embedding explorer: groups, what is said of them, what bad wishes get; the widget that passes on."""

import time

import numpy as np
import pandas as pd
import pytest
from plotly.callbacks import LassoSelector, Points
from tiny_atlas import make_fine_tuning

from workbench.widgets.embedding_explorer import PER_SHEET, EmbeddingExplorer

pytestmark = pytest.mark.usefixtures("one_thread")

METHODS = ("pca", "tsne")


@pytest.fixture
def explorer(atlas) -> EmbeddingExplorer:
    return EmbeddingExplorer(atlas, methods=METHODS)


def test_a_lasso_takes_a_group_the_most_typical_first(explorer, atlas):
    explorer.lasso([9, 3, 30, 3], 1)
    assert sorted(explorer.group) == [3, 9, 30]
    features = atlas.features(0)[explorer.group]
    assert (np.diff(features @ features.mean(axis=0)) <= 1e-6).all()
    assert explorer.focus == explorer.group[0] and explorer.rank == 0
    assert explorer.caption.startswith("3 of 260 pictures, 3 patients")
    assert "map of random initialisation" in explorer.caption


def test_an_empty_lasso_is_said_and_the_group_stays(explorer):
    explorer.lasso([1, 2])
    explorer.lasso([])
    assert "no picture inside" in explorer.message and sorted(explorer.group) == [1, 2]
    explorer.lasso([4])
    assert explorer.message == "" and explorer.group.tolist() == [4]


def test_classes_words_and_neighbours_are_taken(explorer, atlas):
    explorer.colour_by("opacity")
    menu = dict((value, text) for text, value in explorer.class_menu())
    opaque = np.flatnonzero(atlas.pictures.labels[:, 0] == 1)
    assert menu["present"] == f"present ({len(opaque)})"
    explorer.pick_class("present")
    assert sorted(explorer.group) == opaque.tolist() and explorer.origin == "opacity: present"
    explorer.pick_words(" there is an OPACITY ")
    assert sorted(explorer.group) == opaque.tolist()
    explorer.look_at(7)
    explorer.pick_neighbours()
    features, patients = atlas.features(0), atlas.pictures.patients
    order = np.argsort(((features - features[7]) ** 2).sum(axis=1), kind="stable")
    near = order[patients[order] != patients[7]][:15]
    assert set(explorer.group) == {7, *near} and explorer.focus == 7
    explorer.clear()
    assert not len(explorer.group) and explorer.focus is None and "Draw around" in explorer.caption


@pytest.mark.parametrize(
    ("wish", "value", "named"),
    [
        ("pick_words", "xylophone", "No report of these pictures has 'xylophone'"),
        ("pick_class", "purple", "No picture has the only finding: purple"),
        ("colour_by", "error of 1234: Edema", "cannot be told apart by 'error of 1234: Edema'"),
        ("find", "nobody", "no view, study or patient 'nobody'"),
        ("draw", "isomap", "cannot be drawn"),
        ("export", "", "no group to keep"),
        ("pick_neighbours", 0, "Click a picture first"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_changes(explorer, wish, value, named):
    before = (explorer.group.tolist(), explorer.colouring.name, explorer.method, explorer.focus)
    getattr(explorer, wish)(value)
    assert named in explorer.message
    assert before == (explorer.group.tolist(), explorer.colouring.name, explorer.method, explorer.focus)
    explorer.lasso([1])
    assert explorer.message == ""


def test_a_colour_that_is_not_there_is_said_at_the_beginning(atlas):
    explorer = EmbeddingExplorer(atlas, methods=METHODS, colour="Edema", words="xylophone")
    assert explorer.colouring.name == "the only finding"
    for part in ("trained on", "cannot be told apart by 'Edema'", "No report of these"):
        assert part in explorer.message
    with pytest.raises(ValueError, match="methods="):
        EmbeddingExplorer(atlas, methods=["isomap"])


def test_errors_of_a_fine_tuning_can_be_coloured(convirt, atlas, roots):
    run = make_fine_tuning(convirt.made, roots)
    explorer = EmbeddingExplorer(
        atlas, methods=METHODS, errors=run.id, colour=f"error of {run.id[-4:]}: device"
    )
    assert explorer.colouring.is_number and "trained on" in explorer.message
    assert "linear-gradient" in explorer.legend()
    with pytest.raises(ValueError, match="Give a fine-tuning"):
        EmbeddingExplorer(atlas, methods=METHODS, errors=convirt.run.id)


def test_steps_and_names_lead_to_a_picture(explorer, atlas):
    explorer.lasso(np.arange(60))
    explorer.step_to(30)
    assert explorer.focus == explorer.group[30]
    explorer.step_on_sheet(2)  # of the sheet that is shown, the second one
    assert explorer.rank == PER_SHEET + 2
    explorer.step_to(1000)
    assert explorer.rank == 59
    study = atlas.pictures.table["study_id"].iloc[100]
    explorer.find(f" {study} ")
    assert explorer.focus == 100 and explorer.rank is None
    patients, counts = np.unique(atlas.pictures.table["patient_id"], return_counts=True)
    twice = patients[counts.argmax()]
    visited = set()
    for _ in range(counts.max()):
        explorer.find(twice)
        visited.add(explorer.focus)
    assert len(visited) == counts.max() > 1


def test_a_list_is_written_and_read_again(explorer, atlas):
    explorer.lasso([5, 6, 7])
    path = explorer.export("my list/../x")
    assert path.parent == atlas.files()[0] / "lists" and path.name == "my-list-x.csv"
    table = pd.read_csv(path, dtype=str)
    assert set(table["study_id"]) == set(atlas.pictures.table["study_id"].iloc[[5, 6, 7]])
    assert "3 studies written" in explorer.message
    assert explorer.studies()["study_id"].tolist() == table["study_id"].tolist()


def test_another_kind_of_map_keeps_the_group(explorer, atlas):
    explorer.lasso([1, 2, 3])
    explorer.draw("tsne")
    assert explorer.method == "tsne" and sorted(explorer.group) == [1, 2, 3]
    figure = explorer.maps()
    order = explorer.drawn_order()
    np.testing.assert_allclose(figure.data[0].x, atlas.map(0, "tsne")[order, 0])
    assert sorted(order[list(figure.data[0].selectedpoints)]) == [1, 2, 3]
    assert "t-SNE" in figure.layout.annotations[0].text


def test_the_static_twin_says_what_the_page_says(explorer):
    said = explorer.static()
    assert len(said) == 3 and "trained on" in said[0]
    explorer.pick_words("opacity")
    _, maps, sheet, apart = explorer.static()
    titles = [one.layout.title.text for one in (maps, sheet, apart)]
    assert "Maps of the features" in titles[0] and all("not patients" in title for title in titles)
    assert maps.layout.annotations[1].text.startswith("random initialisation")
    assert len(sheet.data[1].x) == PER_SHEET
    assert "opacity" in " ".join(apart.layout.yaxis.ticktext)


def test_a_group_of_everybody_has_no_others(explorer):
    explorer.lasso(np.arange(260))
    assert "nothing sets it apart" in explorer.apart().layout.title.text


def test_what_a_data_set_wrote_is_no_markup(explorer, monkeypatch):
    explorer.pick_words("<b>")
    assert explorer.message == "No report of these pictures has '<b>'."
    explorer.lasso([1])
    explorer.origin = "<script>"
    assert "<script>" not in explorer.apart().layout.title.text


class Shell:
    """The widget of an explorer, its controls by what they are."""

    def __init__(self, explorer):
        top, self.legend, self.drawn, self.message, self.caption, *rest = explorer.live().children
        below, _, sheet, self.apart, self.study = rest
        self.method, self.colour, self.group, self.words, self.name, self.clear = top.children
        self.back, self.place, self.onward, self.near, self.file, self.keep = below.children
        self.title, self.grid = sheet.children

    @property
    def maps(self):
        return self.drawn.children[0]

    @property
    def tiles(self):
        return [tile.children[1] for tile in self.grid.children]

    def lasso(self, number, points):
        """Tell what a browser tells: every map in turn what the outline holds."""
        outline = LassoSelector(xs=[0.0], ys=[0.0])
        for place, trace in enumerate(self.maps.data):
            inside = list(points) if place == 2 * number else []
            trace._dispatch_on_selection(Points(point_inds=inside), outline)


def chosen(shell, explorer, number):
    points = shell.maps.data[2 * number].selectedpoints
    return None if points is None else sorted(explorer.drawn_order()[list(points)])


def test_a_lasso_on_one_map_selects_on_both(explorer):
    shell = Shell(explorer)
    assert chosen(shell, explorer, 0) is None and shell.place.disabled
    shell.lasso(1, [0, 1, 2])
    expected = sorted(explorer.drawn_order()[[0, 1, 2]])
    assert sorted(explorer.group) == expected
    assert chosen(shell, explorer, 0) == chosen(shell, explorer, 1) == expected
    assert shell.caption.value == explorer.caption and not shell.place.disabled
    assert len(shell.tiles) == 3 and shell.tiles[0].button_style == "warning"
    at = explorer.atlas.map(1, explorer.method)[explorer.focus]
    np.testing.assert_allclose([shell.maps.data[3].x[0], shell.maps.data[3].y[0]], at)
    # A second one, and an empty one: what the browser has greyed by itself is told again.
    shell.lasso(0, [5])
    assert explorer.group.tolist() == [explorer.drawn_order()[5]] and len(shell.tiles) == 1
    shell.lasso(0, [])
    assert "no picture inside" in shell.message.value
    assert chosen(shell, explorer, 0) == chosen(shell, explorer, 1) == [explorer.drawn_order()[5]]


def test_an_outline_that_goes_takes_no_group_with_it(explorer):
    shell = Shell(explorer)
    shell.lasso(0, [4, 5])
    before = explorer.group.tolist()
    for trace in shell.maps.data:
        trace._dispatch_on_selection(Points(point_inds=[]), None)
    assert explorer.group.tolist() == before and explorer.message == ""
    assert chosen(shell, explorer, 0) == sorted(before)


def test_a_double_click_takes_the_group_back(explorer):
    shell = Shell(explorer)
    shell.lasso(0, [4, 5])
    for trace in shell.maps.data:
        trace._dispatch_on_deselect(Points(point_inds=[]))
    assert not len(explorer.group) and chosen(shell, explorer, 1) is None


def test_controls_pass_on_what_a_person_does(explorer):
    shell = Shell(explorer)
    shell.colour.value = "opacity"
    assert explorer.colouring.name == "opacity" and "present" in shell.legend.value
    shell.group.value = "present"
    assert explorer.origin == "opacity: present" and shell.group.value == ""
    size = len(explorer.group)
    shell.place.value = 3
    assert explorer.rank == 3
    shell.onward.click()
    assert explorer.rank == 4 and explorer.focus == explorer.group[4]
    shell.tiles[7].click()
    assert explorer.rank == 7 and shell.place.value == 7
    shell.maps.data[0]._dispatch_on_click(Points(point_inds=[9]), None)
    assert explorer.focus == explorer.drawn_order()[9] and len(explorer.group) == size
    assert shell.study.outputs
    shell.near.click()
    assert len(explorer.group) == 16
    shell.words.value = "xylophone"
    assert "xylophone" in shell.message.value and shell.words.value == "" and len(explorer.group) == 16
    shell.method.value = "tsne"
    assert explorer.method == "tsne"
    np.testing.assert_allclose(shell.maps.data[0].x, explorer.atlas.map(0, "tsne")[explorer.drawn_order(), 0])
    shell.file.value = "kept"
    shell.keep.click()
    assert "kept.csv" in shell.message.value
    shell.clear.click()
    assert chosen(shell, explorer, 0) is None and shell.tiles == []
    assert shell.apart.outputs == () and shell.study.outputs == ()


def test_a_click_on_the_second_sheet_means_its_picture(explorer):
    shell = Shell(explorer)
    shell.lasso(0, range(40))
    shell.place.value = 30
    assert len(shell.tiles) == 40 - PER_SHEET and "25 to 40 of 40" in shell.title.value
    assert shell.tiles[6].button_style == "warning"
    shell.tiles[1].click()
    assert explorer.rank == PER_SHEET + 1 and shell.tiles[1].button_style == "warning"
    picture = shell.grid.children[1].children[0].value
    assert picture[:2] == b"\xff\xd8"  # a JPEG


def test_the_cross_makes_the_maps_anew(explorer):
    shell = Shell(explorer)
    first = shell.maps
    shell.lasso(0, [4, 5])
    assert shell.maps is first  # a person's zoom stays
    shell.clear.click()
    assert shell.maps is not first and chosen(shell, explorer, 0) is None
    shell.lasso(1, [7])
    assert explorer.group.tolist() == [explorer.drawn_order()[7]]
    assert chosen(shell, explorer, 0) == explorer.group.tolist()


def test_maps_that_do_not_answer_are_made_anew(explorer, monkeypatch):
    monkeypatch.setattr("workbench.widgets.embedding_shell.DEAF", 0.05)
    shell = Shell(explorer)
    first = shell.maps
    shell.lasso(0, [4, 5])
    _wait(lambda: shell.maps is not first)  # no browser answers here
    assert chosen(shell, explorer, 0) == chosen(shell, explorer, 1) == sorted(explorer.group)
    # A browser that says that the outline has gone has heard everything.
    monkeypatch.setattr("workbench.widgets.embedding_shell.DEAF", 0.5)
    second = shell.maps
    shell.lasso(0, [6])
    for trace in second.data:
        trace._dispatch_on_selection(Points(point_inds=[]), None)
    time.sleep(0.8)
    assert shell.maps is second


def _wait(until, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)
