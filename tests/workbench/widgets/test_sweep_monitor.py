"""The pages on sweeps without a browser: what is looked at, opened, chosen; and the widgets of it."""

import json
import time
from types import SimpleNamespace

import pytest
import yaml

from workbench.sweeps import read_sweep, run_sweep
from workbench.widgets.ablation_page import open_ablation
from workbench.widgets.chooser import Chooser
from workbench.widgets.display import PLOTLY, views_output
from workbench.widgets.sweep_curves import SweepCurves
from workbench.widgets.sweep_monitor import SweepMonitor

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def going_on(tiny_sweep, tmp_path):
    """Return a monitor of a sweep of two cells, one of them finished, and a function that does the other."""
    two = {"methods": {"Random": {}}, "seeds": [0, 1], "label_ratios": [1.0]}
    file = tiny_sweep.with_values(tmp_path / "two.yaml", **two)
    first = tiny_sweep.with_values(tmp_path / "first.yaml", **{**two, "seeds": [0]})
    root = tmp_path / "runs"

    def run(name):
        run_sweep(read_sweep(name), workers=0, root=root, progress=False)

    run(first)
    return SweepMonitor(file, root=root, replicates=20), lambda: run(file)


def click(figure, trace, point):
    """Do what the browser tells the kernel when a point is clicked."""
    figure.data[trace]._dispatch_on_click(SimpleNamespace(point_inds=[point]), None)


def test_the_caption_says_how_far_it_is(sweep_monitor):
    assert sweep_monitor.caption.startswith(
        "16 of 20 fine-tunings finished | 3 of 4 pre-trainings | nothing runs"
    )
    assert not sweep_monitor.is_over and sweep_monitor.share == 0.8
    assert sweep_monitor.command.startswith("workbench sweep ") and "tiny_sweep.yaml" in sweep_monitor.command


def test_static_is_matrix_problems_and_tables(sweep_monitor):
    matrix, problems, table = sweep_monitor.static()
    assert "16 of 20" in matrix.layout.title.text
    assert "stepz" in problems and sweep_monitor.command in problems.replace("&#x27;", "'")
    assert "wb-sweep-table" in table and "not patients" in table and "not yet" in table


def test_it_sees_what_is_finished_meanwhile(going_on):
    monitor, finish = going_on
    assert not monitor.refresh() and len(monitor.runs) == 1
    before = monitor.numbers
    finish()
    assert monitor.refresh() and monitor.is_over and len(monitor.runs) == 2
    assert before["num_seeds"].item() == 1 and monitor.numbers["num_seeds"].item() == 2
    assert "2 of 2" in monitor.caption and monitor.problems() == ""


def test_numbers_wait_while_computing_them_costs_more_than_its_share(going_on):
    monitor, finish = going_on
    finish()
    monitor._cost = 1e6
    assert monitor.refresh(at_once=False)  # squares change at once
    assert monitor.numbers["num_seeds"].item() == 1 and not monitor.is_over
    assert not monitor.refresh(at_once=False)
    monitor._cost = 0.0
    assert monitor.refresh(at_once=False)
    assert monitor.numbers["num_seeds"].item() == 2 and monitor.is_over


def test_runs_are_opened_by_their_ids(sweep_monitor):
    viewer = SweepMonitor.__dict__ and sweep_monitor.viewer
    told = []
    viewer.listen(lambda: told.append(viewer.run.id))
    first = sweep_monitor.runs[0].id
    viewer.open(first)
    assert viewer.run.id == first and told == [first]
    card, curves, sheet = viewer.static()
    assert first in card and "Random, 10 % of the labels, seed 0" in card
    assert "Losses" in curves.layout.title.text and "most wrong about" in sheet.layout.title.text
    viewer.look_at("device")
    assert "in device" in viewer.errors().layout.title.text
    viewer.open("nobody")
    assert viewer.run.id == first and "no run 'nobody'" in viewer.message
    viewer.open("")
    assert viewer.message == "This one has no run yet."
    pretraining = sweep_monitor.watch.pretrainings["REFERS"].run.id
    viewer.open(pretraining)
    assert len(viewer.static()) == 2 and viewer.finding == "" and viewer.findings == []


def test_the_widget_of_a_run_follows_what_is_opened(sweep_monitor):
    finding, views = sweep_monitor.viewer.live().children
    sweep_monitor.viewer.open(sweep_monitor.runs[1].id)
    assert sweep_monitor.runs[1].id in views.outputs[0]["data"]["text/html"]
    assert [value for _, value in finding.options] == ["", "device", "opacity"] or len(finding.options) == 3
    finding.value = "opacity"
    assert sweep_monitor.viewer.finding == "opacity"
    assert "in opacity" in json.dumps(views.outputs[2]["data"][PLOTLY]["layout"]["title"])


def test_a_click_on_a_square_opens_its_run(sweep_monitor):
    _, matrix, message, _ = sweep_monitor.live().children
    figure = matrix.children[0]
    names = list(figure.data[0].customdata)
    click(figure, 0, 3)
    assert sweep_monitor.viewer.run.id == names[3] and names[3] in message.value
    click(figure, 3, 0)  # a missing one
    assert sweep_monitor.viewer.run.id == names[3] and "no run yet" in message.value


def test_a_click_on_a_point_opens_its_run(sweep_monitor):
    curves = SweepCurves(sweep_monitor)
    controls, place, message = curves.live().children
    figure = place.children[0]
    dots = figure.data[5]
    click(figure, 5, 1)
    assert curves.viewer.run.id == dots.meta["runs"][1] and curves.viewer.run.id in message.value
    click(figure, 0, 1)
    assert curves.viewer.run.config["seed"] == 0 and curves.viewer.run.config["method"] == "Random"
    box = next(box for box in controls.children if box.description == "REFERS")
    box.value = False
    assert "REFERS" not in curves.methods and len(place.children[0].data) == 6


def test_any_set_of_methods_is_drawn(sweep_monitor):
    curves = SweepCurves(sweep_monitor, ["REFERS", "broken"])
    (figure,) = curves.static()
    assert [trace.name for trace in figure.data] == ["REFERS", "runs of REFERS"]
    with pytest.raises(ValueError, match="no method 'refers'; it has Random, REFERS"):
        curves.choose(["refers"])
    curves.choose([])
    assert len(curves.methods) == 5
    curves.choose(["broken"])
    assert "nothing is finished yet" in curves.figure().layout.title.text


def test_the_button_and_the_thread_look_again(going_on, monkeypatch):
    monkeypatch.setattr("workbench.widgets.sweep_shell.INTERVAL", 0.05)
    monitor, finish = going_on
    told = []
    monitor.listen(lambda: told.append(1))
    top, matrix, _, tables = monitor.live().children
    again, follow, bar, caption = top.children
    assert follow.value and bar.value == 0.5
    again.click()
    assert told and not again.disabled
    figure = matrix.children[0]
    finish()
    deadline = time.monotonic() + 20
    while follow.value:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert bar.value == 1 and caption.value.startswith("2 of 2")
    assert matrix.children[0] is not figure  # drawn anew: a slow browser loses what was moved
    assert list(matrix.children[0].data[0].text) and "2 of 2" in matrix.children[0].layout.title.text
    assert "wb-sweep-table" in tables.outputs[0]["data"]["text/html"]


def test_nothing_finished_is_said_everywhere(tiny_sweep, tmp_path):
    monitor = SweepMonitor(tiny_sweep.file, root=tmp_path)
    views = [*monitor.static(), *SweepCurves(monitor).static(), *monitor.viewer.static()]
    views += monitor.by_finding().static() + monitor.label_efficiency().static()
    titles = [view.layout.title.text for view in views[2:]]
    assert all("nothing is finished yet" in title or "No run is open" in title for title in titles)
    reader = open_ablation(tiny_sweep.file, root=tmp_path)
    views = [
        view for part in (reader.effects(), reader.by_finding(), reader.factor()) for view in part.static()
    ]
    assert (
        sum(
            "nothing to compare yet" in str(view.layout.title.text)
            for view in views
            if not isinstance(view, str)
        )
        == 3
    )
    assert reader.missing()[1].count("<code>") == 1 and reader.runs().empty


def test_menus_choose_what_is_drawn():
    drawn = []
    chooser = Chooser(
        {"a": [("one", 1), ("two", 2)], "b": [("only", 0)]},
        lambda **chosen: [str(chosen)],
        listen=drawn.append,
    )
    row, views = chooser.live().children
    (menu,) = row.children  # a menu of one value is none
    assert views.outputs == views_output(["{'a': 1, 'b': 0}"])
    menu.value = 2
    assert views.outputs == views_output(["{'a': 2, 'b': 0}"]) and chooser.chosen["a"] == 2
    views.outputs = ()
    drawn[0]()
    assert views.outputs
    with pytest.raises(ValueError, match="There is no a 3; there are 1, 2"):
        chooser.choose("a", 3)


def test_findings_and_label_efficiency_follow_their_menus(sweep_monitor):
    finding = sweep_monitor.by_finding()
    assert finding.chosen == {"target": "tiny", "label ratio": 0.1}
    finding.choose("label ratio", 1.0)
    assert "100 % of the labels" in finding.static()[0].layout.title.text
    efficiency = sweep_monitor.label_efficiency()
    assert efficiency.chosen["method"] == "REFERS"
    whole, steps = efficiency.static()
    assert "wb-efficiency" in whole and "REFERS with 10 %" in steps
    efficiency.choose("method", "broken")
    assert len(efficiency.static()) == 1


@pytest.fixture(scope="module")
def reader(tiny_sweep):
    return open_ablation(tiny_sweep.file, root=tiny_sweep.world.root, replicates=50)


def test_an_ablation_is_read_against_its_comparator(reader):
    chooser = reader.effects()
    assert chooser.chosen == {"target": "tiny", "comparator": "REFERS"}
    figure, table = chooser.static()
    assert (
        list(figure.layout.yaxis.ticktext) == ["random initialisation", "generation only", "consistency only"]
        or len(figure.layout.yaxis.ticktext) == 3
    )
    assert table.count("missing") == 2  # broken, at two label ratios
    chooser.choose("comparator", "Random")
    assert "minus Random" in chooser.static()[0].layout.title.text


def test_four_methods_give_an_interaction(reader):
    four = ["REFERS", "generation only", "consistency only", "Random"]
    (table,) = reader.together(four).static()
    assert table.count(" of the labels</td>") == 2 and "above Random" in table
    (lacking,) = reader.together(["REFERS", "generation only", "broken", "Random"]).static()
    assert "missing: broken" in lacking
    (none,) = reader.together([]).static()
    assert "no four methods" in none.layout.title.text
    with pytest.raises(ValueError, match="no method 'both'"):
        reader.together(["both"])


def test_a_factor_has_findings_and_both_learning_curves(reader):
    chooser = reader.factor("generation only", 1.0)
    finding, pretrained, tuned = chooser.static()
    assert "generation only minus REFERS" in finding.layout.title.text
    assert [trace.name for trace in pretrained.data if trace.showlegend] == ["generation only", "REFERS"]
    assert sum(trace.mode == "lines" for trace in tuned.data) % 4 == 0  # two methods, two seeds each
    (heat,) = reader.by_finding(0.1).static()
    assert len(heat.data[0].y) == 3


def test_a_comparator_must_be_a_method(tiny_sweep):
    with pytest.raises(ValueError, match="no method 'refers'; it has Random"):
        open_ablation(tiny_sweep.file, comparator="refers", root=tiny_sweep.world.root)


def test_variants_answer_the_same_questions(convirt, tmp_path, monkeypatch):
    file = tmp_path / "small.yaml"
    variants = {"ConVIRT (default)": [], "linear proj.": ["objective.projection=linear"]}
    file.write_text(yaml.safe_dump({"recipe": convirt.made.recipe, "variants": variants}))
    monkeypatch.setattr("workbench.widgets.variant_reader.JudgeConfig", lambda: _config(convirt))
    page = open_ablation(str(file), root=convirt.run.folder.parent)
    (table,) = page.missing()
    assert "1 of 2 are not trained" in table and "workbench variants" in table
    figure, numbers = page.effects().static()
    assert "nothing to compare yet" in figure.layout.title.text and "linear proj." in numbers
    (curves,) = page.factor().static()
    assert [trace.name for trace in curves.data if trace.showlegend] == ["ConVIRT (default)"]
    assert len(page.by_finding()) == 1 and "one setting" in page.together([])[0].layout.title.text
    assert page.runs()["run"].tolist() == [convirt.run.id, ""]
    with pytest.raises(ValueError, match="no variant 'tau'"):
        open_ablation(str(file), comparator="tau", root=convirt.run.folder.parent)


def _config(convirt):
    from lib.protocols.retrieval import RetrievalConfig
    from workbench.judging import JudgeConfig

    retrieval = RetrievalConfig(num_queries=2, num_candidates=5)
    return JudgeConfig(retrieval=retrieval, prompts=convirt.made.prompts, min_positives=1)
