"""The pictures with the highest loss: which, why, and without a store."""

import numpy as np
import pandas as pd
import pytest

from lib.data.store import Store
from workbench.runs import Run
from workbench.sweep_reading.worst_errors import loss_table, worst_errors


@pytest.fixture
def run(sweep_monitor):
    return sweep_monitor.runs[0]


def table(labels, probabilities):
    names = ("a", "b")
    columns = {f"label/{name}": column for name, column in zip(names, np.transpose(labels), strict=True)}
    columns |= {
        f"probability/{name}": column for name, column in zip(names, np.transpose(probabilities), strict=True)
    }
    ids = {
        key: [f"{key}{row}" for row in range(len(labels))] for key in ("study_id", "patient_id", "view_id")
    }
    return pd.DataFrame({**ids, **columns})


def test_each_picture_stands_once_with_its_worst_finding():
    labels = [[1, 0], [0, 1], [np.nan, 0], [np.nan, np.nan]]
    found = loss_table(table(labels, [[0.9, 0.8], [0.1, 0.01], [0.0, 0.3], [0.5, 0.5]]), "multi_label")
    assert found["view_id"].tolist() == ["view_id1", "view_id0", "view_id2"]
    assert found["finding"].tolist() == ["b", "b", "b"] and found["label"].tolist() == [1, 0, 0]
    np.testing.assert_allclose(found["loss"], -np.log([0.01, 0.2, 0.7]))


def test_one_finding_alone():
    labels, probabilities = [[1, 0], [np.nan, 1]], [[0.9, 0.99], [0.1, 0.5]]
    found = loss_table(table(labels, probabilities), "multi_label", "a")
    assert found[["view_id", "probability"]].values.tolist() == [["view_id0", 0.9]]
    with pytest.raises(ValueError, match="No finding 'c' was predicted; there are a, b"):
        loss_table(table(labels, probabilities), "multi_label", "c")


def test_of_classes_that_exclude_each_other_the_true_one_counts():
    found = loss_table(table([[1, 0], [0, 1]], [[0.4, 0.6], [0.99, 0.01]]), "multi_class")
    assert found["finding"].tolist() == ["b", "a"] and found["label"].tolist() == [1, 1]
    np.testing.assert_allclose(found["loss"], -np.log([0.01, 0.4]))


def test_certainty_that_is_wrong_stays_finite():
    assert np.isfinite(loss_table(table([[1, 0]], [[0.0, 0.5]]), "multi_label")["loss"]).all()


def test_the_pictures_are_those_of_the_store(run, tiny_sweep):
    errors = worst_errors(run, count=5)
    store = Store(tiny_sweep.world.root.parent / "target")
    views = store.views["view_id"].tolist()
    assert len(errors.table) == 5 and errors.missing == ""
    for view, image in zip(errors.table["view_id"], errors.images, strict=True):
        np.testing.assert_array_equal(image, store.images[views.index(view)])
    assert (np.diff(errors.table["loss"]) <= 0).all()


def test_without_the_store_the_errors_are_told_without_pictures(run, monkeypatch):
    gone = Run(run.folder)
    monkeypatch.setitem(gone.config, "store", "nowhere")
    errors = worst_errors(gone, count=3)
    assert len(errors.table) == 3 and errors.images is None and "nowhere" in errors.missing
