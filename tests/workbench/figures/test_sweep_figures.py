"""Figures and tables of a sweep: states, curves, findings, problems, label efficiency."""

import math

import pandas as pd
import pytest

from workbench.figures import sweep_html
from workbench.figures.sweep_curves import sweep_curves
from workbench.figures.sweep_findings import sweep_findings
from workbench.figures.sweep_matrix import sweep_matrix
from workbench.sweep_reading.run_index import FAILED, FINISHED, MISSING, RUNNING, RunState
from workbench.sweep_reading.watch import CellState


def cell(method, seed, state, **found):
    return CellState(("t", method, 0.1, seed), RunState(state, **found))


CELLS = [
    cell("Random", 0, FINISHED, auroc=0.8123, seconds=3.0),
    cell("Random", 1, RUNNING, seconds=2.0),
    cell("<b>A</b>", 0, FAILED, reason="ValueError: <i>too long</i>"),
    cell("<b>A</b>", 1, MISSING, reason="not run yet"),
]


def test_each_state_is_a_trace_with_its_squares():
    figure = sweep_matrix(CELLS, {"<b>A</b>": RunState(FINISHED)}, title="file <x>", note="a & b\nc")
    finished, running, failed, missing = figure.data
    assert list(finished.text) == ["ok", ".812"]
    assert list(running.text) == ["..."] and list(failed.text) == ["x"] and list(missing.text) == [""]
    assert [trace.name for trace in figure.data] == [
        "finished (1)",
        "running (1)",
        "failed (1)",
        "missing (1)",
    ]
    assert "&lt;i&gt;too long" in failed.hovertext[0] and "<i>" not in failed.hovertext[0]
    assert "&lt;x&gt;" in figure.layout.title.text and "a &amp; b<br>c" in figure.layout.title.text
    assert figure.layout.yaxis.ticktext[1] == "&lt;b&gt;A&lt;/b&gt;"
    # Both methods stand in their own row, a seed in its own column.
    assert finished.y[1] == running.y[0] != failed.y[0] == missing.y[0]
    assert finished.x[1] == failed.x[0] != running.x[0] == missing.x[0]


def test_many_columns_make_small_squares():
    many = [CellState((t, "a", r, s), RunState()) for t in "xyz" for r in (0.01, 0.1, 1.0) for s in range(5)]
    figure = sweep_matrix(many, {}, title="many")
    assert figure.data[0].marker.size < 16
    assert [one.text for one in figure.layout.annotations][1:3] == ["x, 1 %", "x, 10 %"]


def test_problems_name_the_error_the_place_and_the_command():
    table = sweep_html.problems(
        CELLS, {"<b>A</b>": RunState(FAILED, reason="no <store>")}, command="workbench sweep x"
    )
    assert "2 of 4 fine-tunings are missing; failed: 2" in table
    assert "ValueError: &lt;i&gt;too long" in table and "no &lt;store&gt;" in table
    assert "<code>workbench sweep x</code>" in table and "<i>" not in table
    assert sweep_html.problems(CELLS[:2], {}, command="x") == ""


def test_a_long_list_of_problems_is_cut():
    many = [cell("a", seed, FAILED, reason="same") for seed in range(20)]
    assert "and 8 more" in sweep_html.problems(many, {}, command="x")


@pytest.fixture
def summarised(sweep_monitor):
    return sweep_monitor.numbers


def test_the_best_is_bold_the_difference_stands_below_and_missing_seeds_are_said(summarised):
    table = sweep_html.result_table(
        summarised, "tiny", methods=["Random", "REFERS", "broken"], num_seeds=3, comparator="REFERS", note="n"
    )
    best = summarised.loc[summarised["label_ratio"] == 0.1, "auroc"].max()
    rows = {row.method: row for row in summarised[summarised["label_ratio"] == 0.1].itertuples()}
    assert (f"<b>{best:.3f}" in table) == (best in (rows["Random"].auroc, rows["REFERS"].auroc))
    assert f"{rows['Random'].difference:+.3f} [{rows['Random'].difference_low:+.3f}" in table
    assert f"p {rows['Random'].p_seeds:.2g}" in table
    assert (
        table.count("2 of 3 seeds") == 4 and table.count("not yet") == 2 and table.count(">comparator<") == 2
    )


def test_p_values_beyond_four_digits_are_bounds(summarised):
    tiny = summarised.assign(p_seeds=1e-7)
    table = sweep_html.result_table(
        tiny, "tiny", methods=["Random"], num_seeds=2, comparator="REFERS", note=""
    )
    assert table.count("p &lt; 0.0001") == 2


def test_curves_have_a_dot_for_each_run_and_keep_their_colours(sweep_monitor, summarised):
    methods = list(sweep_monitor.sweep.methods)
    finished = [one for one in sweep_monitor.watch.cells if one.found.state == FINISHED]
    whole = sweep_curves(summarised, finished, methods=methods)
    part = sweep_curves(summarised[summarised["method"] == "consistency only"], finished, methods=methods)
    assert len(whole.data) == 8 and len(part.data) == 2
    colour = {trace.name: trace.line.color for trace in whole.data[:4]}
    assert part.data[0].line.color == colour["consistency only"] and len(set(colour.values())) == 4
    line, dots = part.data
    own = [one for one in finished if one.method == "consistency only"]
    assert sorted(dots.customdata) == sorted(one.found.run.id for one in own)
    by_id = {one.found.run.id: one for one in own}
    for x, y, name in zip(dots.x, dots.y, dots.meta["runs"], strict=True):
        assert y == by_id[name].found.auroc
        assert x == line.x[[0.1, 1.0].index(by_id[name].label_ratio)]
    assert [by_id[name].seed for name in line.meta["runs"]] == [0, 0]


def test_findings_are_drawn_side_by_side(sweep_monitor):
    found = sweep_monitor.results.findings("tiny", 1.0)
    figure = sweep_findings(found, methods=list(sweep_monitor.sweep.methods))
    assert [trace.name for trace in figure.data] == [
        "Random", "REFERS", "generation only", "consistency only",
    ]  # fmt: skip
    places = [y for trace in figure.data for y in trace.y]
    assert len(set(places)) == 8 and all(abs(y - round(y)) < 0.5 for y in places)
    order = list(figure.layout.yaxis.ticktext)
    row = found[(found["method"] == "REFERS") & (found["finding"] == order[1])].iloc[0]
    assert figure.data[1].x[1] == row["auroc"]
    one_class = found.assign(auroc=[math.nan, *found["auroc"][1:]])
    assert len(sweep_findings(one_class, methods=["Random", "REFERS"]).data) == 2


def test_label_efficiency_says_what_is_enough():
    enough = {("a", "b"): 0.01, ("b", "a"): None}
    table = sweep_html.efficiency_table(enough, methods=["b", "a"], target="t")
    assert table.index(">b<") < table.index(">a<")
    assert "1 %" in table and "not even all" in table


def test_steps_are_told_with_intervals(sweep_monitor):
    read = sweep_monitor.results.resamples("tiny")
    steps = {"Random": read.label_steps("REFERS", "Random")}
    table = sweep_html.label_steps(steps, method="REFERS", target="tiny")
    for step in steps["Random"]:
        assert f"{step.difference.estimate:+.3f} [{step.difference.low:+.3f}" in table
        assert step.verdict in table


def test_empty_numbers_are_no_frame_of_another_form(summarised):
    assert isinstance(summarised, pd.DataFrame)
    assert set(summarised["target"]) == {"tiny"}
