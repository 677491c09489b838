"""Figures and tables of an ablation: effects beside the paper's, heat map, interaction, curves, one run."""

import numpy as np
import pandas as pd
import pytest

from workbench.figures import effects as figures
from workbench.figures.curve_overlay import curve_overlay
from workbench.figures.one_run import run_card, worst_error_sheet
from workbench.sweep_reading.worst_errors import WorstErrors

EFFECTS = pd.DataFrame(
    [
        ("A", "1 %", -0.02, -0.03, -0.01),
        ("A", "100 %", 0.02, 0.01, 0.03),
        ("<b>B</b>", "100 %", 0.0, -0.01, 0.01),
    ],
    columns=["method", "series", "difference", "low", "high"],
)
PRINTED = {("A", "100 %"): -1.3, ("<b>B</b>", "100 %"): 2.0, ("gone", "100 %"): 9.0}


def test_effects_are_dots_in_points_and_printed_ones_diamonds():
    methods = ["A", "<b>B</b>", "gone", "unknown"]
    figure = figures.effect_figure(EFFECTS, PRINTED, methods=methods, comparator="whole", axis="points")
    few, all_labels, printed = figure.data
    np.testing.assert_allclose(few.x, [-2.0])
    np.testing.assert_allclose(few.error_x.arrayminus, [1.0])
    np.testing.assert_allclose(printed.x, [-1.3, 2.0, 9.0])
    assert list(printed.y[:2]) == list(all_labels.y) and printed.marker.color == all_labels.marker.color
    assert list(figure.layout.yaxis.ticktext) == ["A", "&lt;b&gt;B&lt;/b&gt;", "gone"]
    empty = figures.effect_figure(EFFECTS[:0], {}, methods=methods, comparator="whole", axis="points")
    assert "nothing to compare yet" in empty.layout.title.text


def test_the_table_says_whether_signs_agree():
    table = figures.effect_table(
        EFFECTS, PRINTED, methods=["A", "<b>B</b>", "C"], comparator="whole", about="points", source="Z"
    )
    assert "<b>-2.0 [-3.0, -1.0]</b>" in table
    assert "<b>+2.0 [+1.0, +3.0]</b><br>" in table and "paper -1.3, <b>the other way</b>" in table
    assert ">+0.0 [-1.0, +1.0]<br>" in table and "paper +2.0, ours may go either way" in table
    assert "&lt;b&gt;B" in table and table.count("missing") == 3 and "paper: Z, other data" in table


def test_the_interaction_is_told_in_words():
    found = pd.DataFrame(
        [(0.1, 0.02, 0.03, 0.04, -0.01, -0.02, -0.005, "worse")],
        columns=["label_ratio", "one", "other", "both", "difference", "low", "high", "verdict"],
    )
    table = figures.interaction_table(found, ["AB", "A", "B", "none"])
    assert "+5.0" in table and "-1.0 [-2.0, -0.5]</b><br>less than the sum" in table and "above none" in table


FINDINGS = pd.DataFrame(
    [("A", "x", 0.1, 0.05, 0.15, 9), ("A", "y", -0.1, -0.2, 0.1, 5), ("A", "z", np.nan, np.nan, np.nan, 0)],
    columns=["method", "finding", "difference", "low", "high", "num_positives"],
)


def test_the_heat_map_prints_told_changes_bold():
    figure = figures.finding_heat_map(FINDINGS, comparator="whole", label_ratio=0.1)
    (heat,) = figure.data
    assert list(heat.x) == ["y", "x", "z"] and list(heat.text[0]) == ["-10.0", "<b>+10.0</b>", ""]
    assert heat.zmin == -heat.zmax == -10.0
    assert "one class only" in heat.hovertext[0][2]
    assert (
        "nothing" in figures.finding_heat_map(FINDINGS[:0], comparator="a", label_ratio=1.0).layout.title.text
    )


def test_one_method_finding_by_finding():
    figure = figures.finding_figure(FINDINGS, method="A", comparator="whole")
    assert list(figure.data[0].y) == ["y", "x"]
    np.testing.assert_allclose(figure.data[0].x, [-10, 10])
    assert "nothing" in figures.finding_figure(FINDINGS[:0], method="A", comparator="b").layout.title.text


def test_curves_of_several_runs_share_panels():
    log = pd.DataFrame(
        [
            {"kind": "train", "step": 1, "loss": 1.0, "loss/a": 0.5},
            {"kind": "train", "step": 2, "loss": 0.5, "loss/a": 0.5},
            {"kind": "validation", "step": 2, "loss": 0.7, "loss/a": 0.5},
        ]
    )
    other = log.drop(columns="loss/a")
    figure = curve_overlay({"A": [log, log], "B": [other]}, colours={"A": "red", "B": "blue"}, title="t")
    assert len(figure.data) == 2 * (2 + 1) + 2 * 2  # a line and dots: three runs, and two with the component
    assert [trace.name for trace in figure.data if trace.showlegend] == ["A", "B"]
    assert {trace.line.color for trace in figure.data if trace.mode == "lines"} == {"red", "blue"}
    assert "nothing was logged" in curve_overlay({"A": []}, colours={}, title="t").layout.title.text


@pytest.fixture
def errors():
    table = pd.DataFrame(
        [("v", "s", "p", "<b>Edema</b>", 1, 0.02, 3.9)],
        columns=["view_id", "study_id", "patient_id", "finding", "label", "probability", "loss"],
    )
    return table


def test_below_an_error_stand_truth_and_probability(errors):
    sheet = worst_error_sheet(WorstErrors(errors, np.zeros((1, 8, 8), np.uint8)), title="t")
    shown = sheet.layout.annotations[0].text.replace("<br>", " ")
    assert "is there, said 0.02" in shown and "<b>" not in shown
    assert "loss 3.90" in sheet.data[1].hovertext[0] and "patient p" in sheet.data[1].hovertext[0]
    gone = worst_error_sheet(WorstErrors(errors, None, "no <store>"), title="t")
    assert "no pictures" in gone.layout.title.text and "&lt;store&gt;" in gone.layout.title.text


def test_a_run_is_told_with_its_config_and_its_notebook(sweep_monitor, monkeypatch, tmp_path):
    run = sweep_monitor.runs[0]
    card = run_card(run, place="<place>")
    assert run.id in card and "&lt;place&gt;" in card and "none was kept" in card
    assert "finetune.label_ratio" in card and "0.1" in card
    page = run.folder / "notebook.ipynb"
    page.write_text("{}")
    assert "notebook.ipynb</code>" in run_card(run)
    page.unlink()
    pretraining = sweep_monitor.watch.pretrainings["REFERS"].run
    assert "pre-training tiny_refers" in run_card(pretraining)
