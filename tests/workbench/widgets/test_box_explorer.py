"""The box explorer without a browser: what a person can ask, what is answered, and what cannot be asked."""

import csv

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib.explain.frame import to_original
from tests.tiny_boxes import GRID, PlantedSource, make_store, with_boxes
from workbench.figures.box_panels import CLEAR, LINES
from workbench.runs import Run
from workbench.widgets.box_explorer import BoxExplorer
from workbench.widgets.box_page import explore_boxes


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("boxed"))


@pytest.fixture
def planted(store, tmp_path):
    return lambda **options: PlantedSource(options.pop("store", store), tmp_path, **options)


@pytest.fixture
def explorer(planted):
    return BoxExplorer([planted()])


def text(figure):
    """Return all that is written in a figure."""
    said = [
        figure.layout.title.text,
        *(one.text for one in figure.layout.annotations if one.visible is not False),
    ]
    return " ".join(filter(None, said))


def state(explorer):
    return explorer.rows.tolist(), explorer.place, explorer.wanted, explorer.order, explorer.table.method


def test_it_begins_with_the_best_case_and_says_whose_it_is(explorer):
    assert explorer.ious[0][0] == np.nanmax(explorer.ious[0]) > 0.7
    assert explorer.message == ""
    row = explorer.table.cases.table.iloc[explorer.case]
    assert f"case 1 of {len(explorer.table.cases)}" in explorer.caption
    assert row["study_id"] in explorer.caption and "threshold 0.50" in explorer.caption
    written = text(explorer.figure())
    for part in ("not patients", "test split", "run-planted", "threshold 0.50", "class activation"):
        assert part in written
    assert f"IoU {explorer.table.read(0, explorer.case, explorer.reading).iou:.2f}" in written


def test_the_threshold_moves_the_boxes_at_once_and_the_order_when_asked(planted):
    explorer = BoxExplorer([planted(kind="beside")], order="worst")
    before, boxes = explorer.rows.tolist(), explorer.panels()[1].found
    explorer.read_by(threshold=0.05)
    assert explorer.panels()[1].found.tolist() == [[0, 0, 64, 64]] != boxes.tolist()
    assert explorer.rows.tolist() == before and not explorer.is_sorted
    assert "threshold 0.50" in explorer.caption and "threshold 0.05" in text(explorer.figure())
    explorer.sort()
    assert explorer.rows.tolist() != before and explorer.is_sorted
    explorer.read_by(threshold=7, smoothing=-3)
    assert (explorer.reading.threshold, explorer.reading.smoothing) == (0.95, 0)


def test_smoothing_widens_what_a_map_says(explorer):
    sharp = explorer.panels()[1].heat
    explorer.read_by(smoothing=6.0)
    smooth = explorer.panels()[1].heat
    assert smooth.max() == pytest.approx(1) and (smooth > 0.5).sum() != (sharp > 0.5).sum()


def test_cases_are_chosen_by_finding_reader_size_and_iou(explorer):
    table = explorer.table.cases.table
    explorer.choose(finding="Mass")
    assert set(table["finding"].iloc[explorer.rows]) == {"Mass"}
    explorer.choose(finding="", size="large")
    assert (explorer.table.cases.area[explorer.rows] >= 0.1).all()
    explorer.choose(size="", reader="R2")
    assert set(explorer.panels()[0].marked) == {"R2"}
    explorer.choose(reader="", low=0.6, high=0.8)
    assert len(explorer.rows) and ((explorer.ious[0] >= 0.6) & (explorer.ious[0] <= 0.8)).all()
    explorer.choose(low=0.999, high=1.0)
    if not len(explorer.rows):
        assert "take one back" in text(explorer.figure()) and "take one back" in text(explorer.gallery())
        explorer.attend(0, 3)
        explorer.save()
        assert explorer.message == "There is no case to write."
    explorer.choose(low=0.0, high=1.0)
    assert len(explorer.rows) == len(table)


def test_steps_end_at_the_ends(explorer):
    explorer.go_to(10_000)
    assert explorer.place == len(explorer.rows) - 1
    explorer.go_to(-1)
    assert explorer.place == 0


def test_keys_do_what_the_buttons_do(explorer):
    assert explorer.press("ArrowRight") and explorer.place == 1
    assert explorer.press("ArrowLeft") and explorer.place == 0
    explorer.press("ArrowDown")
    assert explorer.reading.threshold == 0.45
    explorer.press("ArrowUp")
    assert explorer.reading.threshold == 0.5
    explorer.press("b")
    assert explorer.panels()[1].found.tolist() == [] and explorer.panels()[0].marked == {}
    explorer.press("b")
    explorer.press("m")
    assert explorer.opacity == 0
    explorer.press("m")
    assert explorer.opacity > 0
    explorer.attend(0, 5)
    explorer.press("Escape")
    assert explorer.attended is None
    assert not explorer.press("d")


def test_studies_are_found_by_name(explorer):
    row = explorer.table.cases.table.iloc[explorer.rows[3]]
    explorer.find(f" {row['view_id']} ")
    assert explorer.table.cases.table["view_id"].iloc[explorer.case] == row["view_id"]
    explorer.choose(finding="Mass")
    other = explorer.table.cases.table.query("finding != 'Mass'")
    outside = next(name for name in other["view_id"] if name not in set(_names(explorer)))
    explorer.find(outside)
    assert "taken back" in explorer.message and explorer.wanted.finding == ""
    assert explorer.table.cases.table["view_id"].iloc[explorer.case] == outside
    before = state(explorer)
    explorer.find("nobody")
    assert "no view, study or patient 'nobody'" in explorer.message and state(explorer) == before
    explorer.find("  ")
    assert state(explorer) == before


def _names(explorer):
    return explorer.table.cases.table["view_id"].iloc[explorer.rows]


def test_two_models_are_seen_side_by_side(planted):
    explorer = BoxExplorer([planted(name="one"), planted(name="two", kind="beside")], order="models disagree")
    first, second = explorer.ious
    apart = np.abs(first - second)
    assert (np.diff(apart) <= 1e-12).all() and apart[0] > 0.5
    left, right = explorer.panels()
    assert left.caption.startswith("one") and right.caption.startswith("two")
    assert left.found.tolist() != right.found.tolist()
    assert len(explorer.galleries()) == 3
    assert len(explorer.static()) == 4


def test_a_clicked_place_shows_what_it_attends_to(explorer):
    explorer.attend(0, 2 * GRID + 3, layer=0, head=1)
    panel = explorer.panels()[1]
    assert panel.place == (2, 3) and panel.found.tolist() == [] and panel.marked == {}
    assert np.unravel_index(panel.grid.argmax(), panel.grid.shape) == (2, 3)
    assert "row 3, column 4" in panel.caption and "layer 1, head 2" in panel.caption
    explorer.attend(0, 2 * GRID + 3, layer=0, head=1)  # again: back to the map
    assert explorer.attended is None
    explorer.attend(0, 1)
    explorer.go_to(1)
    assert explorer.attended is None


def test_figure_and_list_are_written(planted, store, tmp_path):
    explorer = BoxExplorer([planted(name="a/b"), planted(name="two", kind="beside")])
    explorer.choose(finding="Cardiomegaly")
    explorer.save()
    (picture,), (path,) = (
        list((tmp_path / "localized/explored").glob(f"*.{kind}")) for kind in ("png", "csv")
    )
    assert picture.name in explorer.message and path.name in explorer.message
    with Image.open(picture) as opened:
        colours = np.array(opened.convert("RGB")).reshape(-1, 3)
    assert (colours == [255, 90, 74]).all(1).any() and (colours == [53, 224, 161]).all(1).any()
    listed = pd.read_csv(path)
    assert listed["view_id"].tolist() == _names(explorer).tolist()
    assert listed["rank"].tolist() == list(range(1, len(listed) + 1))
    exact = [explorer.table.read(0, case, explorer.reading).iou for case in explorer.rows]
    np.testing.assert_allclose(listed["IoU 1"], exact, atol=1e-6)
    assert (listed["IoU 1"] > listed["IoU 2"]).any()
    # Boxes are those of the store in pixels of the file.
    row = explorer.table.cases.table.iloc[explorer.rows[0]]
    view = store.views.iloc[[row["view_row"]]]
    expected = to_original(explorer.table.cases.marked[explorer.rows[0]]["R1"], view)
    said = [float(value) for value in listed["boxes R1"][0].split("; ")[0].split()]
    np.testing.assert_allclose(said, expected[0], atol=0.06)
    with open(path) as handle:
        assert len(list(csv.reader(handle))) == len(listed) + 1


# What a person may ask for that there is not: words, and a state that goes on working.


def test_a_map_of_zeros_is_said_to_be_one(planted):
    explorer = BoxExplorer([planted(kind="zero")])
    panel = explorer.panels()[1]
    assert "zero everywhere" in panel.warning and panel.found.tolist() == []
    assert "IoU 0.00" in panel.caption
    explorer.read_by(threshold=0.05, smoothing=3)
    assert "zero everywhere" in text(explorer.figure())
    explorer.go_to(1)
    assert len(explorer.static()) == 3


def test_a_box_outside_the_image_is_left_out_in_words(planted, store, tmp_path):
    view = int(store.boxes["view_row"].iloc[0])
    name = store.views["view_id"].iloc[view]
    rows = [(view, name, "Mass", 5, 5, 30, 30, "R1"), (view, name, "Mass", 90, 5, 99, 30, "R2")]
    boxes = pd.DataFrame(rows, columns=store.boxes.columns).astype(store.boxes.dtypes)
    explorer = BoxExplorer([planted(store=with_boxes(store, tmp_path, boxes), targets=("Mass",))])
    plain = explorer.panels()[0]
    assert set(plain.marked) == {"R1"} and "1 box lies beside the picture" in plain.caption
    assert explorer.ious[0][0] > 0.5


def test_an_image_without_boxes_says_so(planted, store, tmp_path):
    view = int(store.boxes["view_row"].iloc[0])
    name = store.views["view_id"].iloc[view]
    rows = [(view, name, "Mass", 90, 5, 99, 30, "R1")]  # beside the picture: nothing is left
    boxes = pd.DataFrame(rows, columns=store.boxes.columns).astype(store.boxes.dtypes)
    explorer = BoxExplorer([planted(store=with_boxes(store, tmp_path, boxes), targets=("Mass",))])
    assert "No reader has a box of Mass" in text(explorer.figure())
    assert "IoU" not in explorer.panels()[1].caption and np.isnan(explorer.ious[0][0])
    assert "IoU -" in text(explorer.gallery())
    other = next(one for one in store.views["study_id"] if not name.startswith(one))
    explorer.find(other)
    assert "no reader has a box" in explorer.message and explorer.rows.tolist() == [0]


def test_a_finding_that_no_model_knows_is_refused(explorer):
    before = state(explorer)
    explorer.choose(finding="Broken heart")
    assert "No model here was trained on 'Broken heart'" in explorer.message
    assert "Cardiomegaly" in explorer.message and state(explorer) == before
    explorer.choose(finding="Mass")
    assert explorer.message == ""


def test_a_finding_to_begin_with_that_is_not_known_leaves_all(planted):
    explorer = BoxExplorer([planted()], finding="Broken heart", order="upwards")
    assert "Broken heart" in explorer.message and "no order 'upwards'" in explorer.message
    assert explorer.wanted.finding == "" and len(explorer.rows) == len(explorer.table.cases)


def test_a_finding_that_nobody_marked_is_refused(planted):
    explorer = BoxExplorer([planted(targets=("Mass", "Fracture"))])
    explorer.choose(finding="Fracture")
    assert "has a reader's box of 'Fracture'" in explorer.message
    explorer.choose(reader="R9")
    assert "Nobody called 'R9'" in explorer.message and explorer.wanted.reader == ""


def test_a_checkpoint_without_that_target_says_so_beside_the_other(planted):
    explorer = BoxExplorer([planted(name="one"), planted(name="two", targets=("Cardiomegaly",))])
    explorer.choose(finding="Mass")
    left, right = explorer.panels()
    assert left.heat is not None and "not trained on Mass" in right.warning and right.heat is None
    assert "not trained on Mass" in text(explorer.figure())
    explorer.attend(1, 3)
    assert explorer.attended is None
    explorer.save()
    assert "Written" in explorer.message
    explorer.sort("models disagree")
    assert explorer.order == "models disagree"
    explorer.choose(finding="Cardiomegaly")
    assert explorer.panels()[1].warning == ""


def test_a_method_that_does_not_fit_leaves_the_one_before(planted):
    explorer = BoxExplorer([planted(methods=("cam",), depth=0)])
    before = state(explorer)
    explorer.explain_by("attention")
    assert "has no 'attention'" in explorer.message and state(explorer) == before
    explorer.explain_by("magic")
    assert explorer.message and state(explorer) == before
    explorer.attend(0, 3)
    assert "no attention" in explorer.message and explorer.attended is None
    assert BoxExplorer([planted(methods=("cam",))], method="attention").table.method == "cam"


def test_a_method_that_fits_one_model_says_so_beside_the_other(planted):
    explorer = BoxExplorer([planted(name="one"), planted(name="two", methods=("cam",))])
    looked_at = _names(explorer).iloc[0]
    explorer.explain_by("attention", 0, 1)
    assert "two has no 'attention'" in explorer.panels()[1].warning
    assert _names(explorer).iloc[explorer.place] == looked_at
    assert "layer 1, head 2" in explorer.look()["note"]


def test_models_of_other_pictures_are_not_compared(planted, store, tmp_path):
    other = make_store(tmp_path / "elsewhere", studies=6)
    explorer = BoxExplorer([planted(), planted(store=other, name="two")])
    assert len(explorer.sources) == 1 and "two (run-two) is left out" in explorer.message
    assert explorer.figure() is not None


def test_runs_that_cannot_be_explored_leave_a_message(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").write_text("task: pretrain\n")
    nothing = explore_boxes([Run(tmp_path / "run")])
    assert "is no fine-tuning" in nothing.message
    assert "nothing to show" in nothing.static()
    assert "is no fine-tuning" in nothing.live().value


class Shell:
    """The widget of an explorer, its controls by what they are."""

    def __init__(self, explorer):
        *rows, self.caption, self.message, self.case, _, self.sheet, self.keys = explorer.live().children
        assert len(rows) == 4
        self.finding, self.reader, self.size, self.iou, self.order = rows[0].children
        *self.by, self.name = rows[1].children
        self.threshold, self.smoothing, self.opacity, self.boxes = rows[2].children
        self.back, self.place, self.onward, self.again, self.save = rows[3].children

    def trace(self, name, panel=1):
        return self.case.children[0].data[panel * len(LINES) + list(LINES).index(name)]


def test_the_widget_answers_its_controls(explorer):
    shell = Shell(explorer)
    figure = shell.case.children[0]
    before = shell.trace("found").x
    shell.threshold.value = 0.05
    assert explorer.reading.threshold == 0.05 and shell.trace("found").x != before
    assert figure is shell.case.children[0]  # moved, not drawn anew
    assert not shell.again.disabled
    shell.again.click()
    assert shell.again.disabled and explorer.is_sorted
    shell.onward.click()
    assert explorer.place == shell.place.value == 1 and "case 2 of" in shell.caption.value
    shell.place.value = 3
    assert "case 4 of" in shell.caption.value
    shell.opacity.value = 0.2
    assert figure.layout.images[3].opacity == 0.2
    shell.boxes.value = False
    assert list(shell.trace("found").x) == [None]
    shell.boxes.value = True
    shell.finding.value = "Mass"
    assert explorer.wanted.finding == "Mass" and "Mass in" in figure.layout.title.text
    shell.order.value = "worst"
    assert explorer.order == "worst"
    shell.by[0].value = "attention"
    assert explorer.table.method == "attention"
    shell.by[1].value = 0
    assert explorer.table.layer == 0
    shell.keys._handle_custom_msg({"key": "ArrowRight"}, [])
    assert explorer.place == 1
    shell.save.click()
    assert "Written" in shell.message.value


def test_the_widget_says_what_cannot_be_chosen_and_stays_usable(explorer):
    shell = Shell(explorer)
    foreign = next(value for words, value in shell.finding.options if "no map" in words)
    shell.finding.value = foreign
    assert "No model here was trained on" in shell.message.value
    assert shell.finding.value == explorer.wanted.finding == ""
    shell.name.value = "<b>"
    assert "&lt;b&gt;" in shell.message.value
    shell.iou.value = (0.99, 1.0)
    shell.threshold.value = 0.3
    shell.onward.click()
    shell.iou.value = (0.0, 1.0)
    assert len(explorer.rows) and "case 1 of" in shell.caption.value
    assert shell.case.children[0].layout.images[1].source == CLEAR


def test_clicks_open_cases_and_places(explorer):
    shell = Shell(explorer)
    points = type("Points", (), {"point_inds": [5]})
    for act in shell.sheet.children[0].data[1]._click_callbacks:
        act(None, points, None)
    assert explorer.place == 5
    assert shell.sheet.children[0].layout.shapes[0].x0 > 500  # the frame went with it
    for act in shell.trace("places")._click_callbacks:
        act(None, points, None)
    assert (
        explorer.attended.place == (0, 5)
        and "attends to" in shell.case.children[0].layout.annotations[2].text
    )
