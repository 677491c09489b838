"""Figures of judged runs show the numbers they were given, with intervals, chance and styles."""

import numpy as np
import pandas as pd
import pytest

from workbench import theme
from workbench.figures import judged as worth
from workbench.figures.retrieval import precision_figures, recall_by_k


def value(estimate):
    return {"estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.05}


def labelled(**estimates):
    per_label = {
        name: {**value(one), "num_positives": 7}
        if one is not None
        else {"estimate": None, "low": None, "high": None, "num_positives": 0}
        for name, one in estimates.items()
    }
    return {"auroc": value(0.7), "per_label": per_label}


def judgement(precision, **changes):
    recall = {
        "recall": {"1": value(0.2), "10": value(0.4)},
        "chance": {"1": 0.01, "10": 0.1},
        "median_rank": 9,
    }
    about = {"precision": {"5": value(precision)}, "chance": 0.125, "num_queries": 9, "num_candidates": 72}
    return {
        "store": "tiny",
        "synthetic": True,
        "split": "test",
        "num_images": 1234,
        "image_image": about,
        "text_image": {"all": about, "styles": {}},
        "study_report": {"study_to_report": recall, "report_to_study": recall, "num_pairs": 50},
        "zero_shot": {
            "ensemble": labelled(Edema=0.9, Mass=0.4, Rare=None),
            "styles": {
                "plain": labelled(Edema=0.8, Mass=0.6),
                "short": labelled(Edema=0.95, Rare=None),
            },
        },
        "linear_probe": {"0.01": {"auroc": value(0.6)}},
        "not_judged": {},
        **changes,
    }


@pytest.fixture
def judged():
    return {"convirt": judgement(0.5), "random": judgement(0.15, zero_shot=None, study_report=None)}


def by_name(figure):
    return {trace.name: trace for trace in figure.data}


def test_the_note_says_where_the_numbers_come_from(judged):
    assert worth.note_of(judged) == (
        "tiny - synthetic studies, not patients | 1,234 pictures of the test split, 95 % intervals"
    )


def test_the_overview_has_every_measure_with_interval_and_chance(judged):
    figure = worth.overview(judged, note="tiny")
    titles = list(figure.layout.yaxis.ticktext)
    assert titles[0] == "image-image precision@5" and titles[-1].startswith("linear mean AUROC, 1 %")
    assert len(titles) == 8
    traces = by_name(figure)
    assert list(traces["guessing"].x) == [0.125, 0.125, 0.01, 0.1, 0.01, 0.1, 0.5, 0.5]
    assert list(traces["ConVIRT"].x) == [0.5, 0.5, 0.2, 0.4, 0.2, 0.4, 0.7, 0.6]
    np.testing.assert_allclose(traces["ConVIRT"].error_x.arrayminus, 0.1)
    assert list(traces["random initialisation"].x) == [0.15, 0.15, 0.6]
    ticks = dict(zip(titles, figure.layout.yaxis.tickvals, strict=True))
    place = ticks["linear mean AUROC, 1 % of the labels"]
    assert abs(traces["random initialisation"].y[-1] - place) < 0.5
    assert traces["random initialisation"].y[-1] != traces["ConVIRT"].y[-1]
    assert traces["random initialisation"].marker.color == theme.BASELINE
    assert min(figure.layout.yaxis.range) < min(ticks.values())


def test_findings_have_an_interval_and_a_tick_for_each_style(judged):
    figure = worth.zero_shot_by_finding(judged, note="tiny")
    assert list(figure.layout.yaxis.ticktext) == ["Mass", "Edema"]  # the best on top; Rare has no number
    styles, ensemble = figure.data
    assert ensemble.name == "ConVIRT" and sorted(ensemble.x) == [0.4, 0.9]
    np.testing.assert_allclose(ensemble.error_x.array, 0.05)
    assert sorted(zip(styles.x, styles.text, strict=True)) == [
        (0.6, "Mass, prompts of style plain"),
        (0.8, "Edema, prompts of style plain"),
        (0.95, "Edema, prompts of style short"),
    ]
    assert [line.x0 for line in figure.layout.shapes] == [0.5]


def test_recall_stands_beside_guessing_both_ways(judged):
    figure = recall_by_k(judged, note="tiny")
    guessing = [trace for trace in figure.data if trace.name == "guessing"]
    runs = [trace for trace in figure.data if trace.name == "ConVIRT"]
    assert [list(trace.y) for trace in guessing] == [[0.01, 0.1]] * 2
    assert [list(trace.y) for trace in runs] == [[0.2, 0.4]] * 2
    assert [trace.showlegend for trace in runs] == [True, False]
    assert "50 studies" in figure.layout.title.text
    assert list(figure.layout.xaxis2.ticktext) == ["@1", "@10"]


def test_both_kinds_of_retrieval_say_among_how_many(judged):
    figures = precision_figures(judged, note="tiny")
    assert [figure.layout.title.text.split(":")[0] for figure in figures] == [
        "Image-image retrieval",
        "Text-image retrieval",
    ]
    assert "tiny | 9 queries, 72 candidates" in figures[0].layout.title.text


def test_what_was_not_judged_says_why():
    reasons = dict.fromkeys(("text_image", "study_report", "zero_shot"), "the objective embeds no texts")
    one = judgement(0.5, text_image=None, study_report=None, zero_shot=None, not_judged=reasons)
    judged = {"refers": one}
    for figure in (
        precision_figures(judged)[1],
        recall_by_k(judged),
        worth.zero_shot_by_finding(judged),
    ):
        title, reason = figure.layout.title.text.split("<br>")[:2]
        assert title.endswith(": not judged") and "the objective embeds no texts" in reason
        assert len(figure.data) == 0
    assert len(worth.overview(judged).layout.yaxis.ticktext) == 2


@pytest.fixture
def checkpoints():
    rows = [
        (step, 3.5 - step / 1000, measure, 0.1 + step / 2000, 0.05, 0.4, 0.125)
        for step in (100, 200, 300, 400)
        for measure in ("text-image precision@5", "text-image precision@10", "zero-shot mean AUROC")
    ]
    names = ("step", "loss", "measure", "estimate", "low", "high", "chance")
    return pd.DataFrame(rows, columns=names)


def test_each_measure_stands_against_the_loss(checkpoints):
    correlations = pd.DataFrame(
        {
            "num_checkpoints": 4,
            "correlation": [0.5, 0.9, np.nan],
            "low": [0.1, np.nan, np.nan],
            "high": [0.8, np.nan, np.nan],
        },
        index=["text-image precision@5", "text-image precision@10", "zero-shot mean AUROC"],
    )
    figure = worth.loss_against_scores(checkpoints, correlations, note="tiny")
    titles = [one.text for one in figure.layout.annotations]
    assert titles == [
        "text-image precision@10<br>rank correlation 0.90, 4 checkpoints",
        "zero-shot mean AUROC<br>no correlation: it does not vary",
    ]
    first = figure.data[0]
    assert list(first.x) == [-3.4, -3.3, -3.2, -3.1] and list(first.marker.color) == [100, 200, 300, 400]
    np.testing.assert_allclose(first.y, [0.15, 0.2, 0.25, 0.3])
    np.testing.assert_allclose(first.error_y.array, 0.4 - np.array(first.y))
    assert [line.y0 for line in figure.layout.shapes] == [0.125, 0.125]
    only = worth.loss_against_scores(checkpoints, correlations.iloc[:1])
    assert only.layout.annotations[0].text.endswith("rank correlation 0.50 [0.10, 0.80], 4 checkpoints")


def test_without_checkpoints_it_says_what_to_set(checkpoints):
    none = checkpoints.iloc[:0]
    figure = worth.loss_against_scores(none, pd.DataFrame({"correlation": []}))
    assert "train.keep_every" in figure.layout.title.text
