"""Loss curves: a panel per loss, training and validation apart, the same points however they are drawn."""

import numpy as np
import pandas as pd
import pytest

from workbench.figures.training import all_series, fusion_weights, loss_curves, loss_names


@pytest.fixture
def metrics():
    train = [
        {"kind": "train", "step": s, "loss": 3.0 / s, "loss/a": 2.0 / s, "loss/b": 1.0 / s}
        for s in (1, 2, 3, 4)
    ]
    validation = [{"kind": "validation", "step": s, "loss": 4.0 / s, "loss/a": 3.0 / s} for s in (2, 4)]
    return pd.DataFrame(train + validation)


def test_the_total_comes_first(metrics):
    assert loss_names(metrics) == ["loss", "loss/a", "loss/b"]


def test_each_loss_has_its_panel_with_steps_mean_and_validation(metrics):
    figure = loss_curves(metrics, title="run")
    assert [trace.xaxis for trace in figure.data] == ["x"] * 3 + ["x2"] * 3 + ["x3"] * 3
    steps, _, validation = figure.data[3:6]
    np.testing.assert_allclose(steps.y, [2, 1, 2 / 3, 0.5])
    assert (list(validation.x), list(validation.y)) == ([2, 4], [1.5, 0.75])
    assert len(figure.data[8].x) == 0  # b was not validated


def test_moving_the_traces_draws_what_a_new_figure_would(metrics):
    for trace, (x, y) in zip(loss_curves(metrics).data, all_series(metrics), strict=True):
        np.testing.assert_array_equal(trace.x, x)
        np.testing.assert_array_equal(trace.y, y)


def test_a_run_without_a_line_yet_draws_empty_axes():
    assert all(len(trace.x) == 0 for trace in loss_curves(pd.DataFrame()).data)


def test_the_running_mean_lies_between_the_extremes(metrics):
    _, mean, _ = loss_curves(metrics).data[:3]
    assert 0.75 <= min(mean.y) <= max(mean.y) <= 3.0


def test_fusion_weights_are_grouped_by_position():
    weights = pd.DataFrame(
        {"study_id": ["s", "s", "t"], "position": ["PA", "LATERAL", "PA"], "weight": [0.75, 0.25, 1.0]}
    )
    lateral, frontal = fusion_weights(weights).data
    assert (lateral.name, list(lateral.x)) == ("LATERAL (1)", [0.25])
    assert (frontal.name, list(frontal.x)) == ("PA (2)", [0.75, 1.0])
