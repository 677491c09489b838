import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lib.metrics.delong import delong_test
from lib.metrics.holm import holm
from lib.metrics.statistics import bootstrap_auroc, paired_bootstrap_auroc
from workbench.published import read_predictions
from workbench.published.likeness import likeness
from workbench.published.reading import PublishedReading, open_reading
from workbench.published.test_lists import nih_patients


@pytest.fixture
def reading(table, save):
    return PublishedReading(
        read_predictions(save(table)), {"nih": np.arange(80) // 2}, replicates=200, tolerance=5
    )


def test_rebuilt_cells_are_the_mean_auroc_with_its_interval(reading):
    rebuilt = reading.rebuilt.set_index(["target", "label_ratio", "method"])
    assert len(rebuilt) == 9 * 6
    row = rebuilt.loc["nih", 0.1, "refers"]
    labels, scores = reading.scores("nih", 0.1, "refers")
    expected = bootstrap_auroc(labels, scores, np.arange(80) // 2, replicates=200)
    assert (row.auroc, row.low, row.high) == (expected.estimate, expected.low, expected.high)
    assert (row.num_images, row.num_patients, row.clustered) == (80, 40, True)
    assert row.printed == 80.9 and row.gap == pytest.approx(100 * row.auroc - 80.9)
    assert row.differs == (abs(row.gap) > 5)
    alone = rebuilt.loc["shenzhen", 1.0, "c2l"]
    assert (alone.num_patients, alone.clustered) == (80, False)
    assert (
        rebuilt.loc["vinbigdata", 1.0, "refers"].isna().auroc and not rebuilt.loc["vinbigdata"].differs.any()
    )


def test_differences_are_paired_and_tested(reading):
    found = reading.differences.set_index(["target", "label_ratio", "other"])
    assert len(found) == 2 * 3
    row = found.loc["nih", 0.1, "c2l"]
    labels, a = reading.scores("nih", 0.1, "refers")
    _, b = reading.scores("nih", 0.1, "c2l")
    expected = paired_bootstrap_auroc(labels, a, b, np.arange(80) // 2, replicates=200)
    assert (row.difference, row.low, row.high) == (expected.estimate, expected.low, expected.high)
    p_values = [delong_test(*columns).p_value for columns in zip(labels.T, a.T, b.T, strict=True)]
    of_finding = reading.by_finding.query("target == 'nih' and label_ratio == 0.1 and other == 'c2l'")
    np.testing.assert_allclose(of_finding["p"], p_values)
    np.testing.assert_allclose(of_finding["p_holm"], holm(p_values))
    assert row.num_better + row.num_worse == (holm(p_values) < 0.05).sum()
    assert np.isnan(row.p_delong) and row.p_paper == 8.72e-4  # c2l is the best printed there
    assert np.isnan(found.loc["nih", 0.1, "imagenet"].p_paper)
    labels, a = reading.scores("shenzhen", 1.0, "refers")
    _, b = reading.scores("shenzhen", 1.0, "c2l")
    p_value = delong_test(labels[:, 0], a[:, 0], b[:, 0]).p_value
    assert found.loc["shenzhen", 1.0, "c2l"].p_delong == pytest.approx(p_value)


def test_efficiency_compares_every_ratio_with_all_labels_of_the_others(reading):
    steps = reading.efficiency
    assert set(steps["target"]) == {"nih"}  # one ratio says nothing
    assert len(steps) == 2 * 2
    assert steps.query("other == 'c2l'")["enough"].sum() == 1


def test_what_is_not_there_is_named(reading):
    with pytest.raises(ValueError, match="No predictions on 'mars'; there are nih, shenzhen"):
        reading.scores("mars", 1.0, "refers")
    with pytest.raises(
        ValueError, match=r"No predictions of 'refers' at 0\.01 on nih; there are .*refers at 0\.1"
    ):
        reading.scores("nih", 0.01, "refers")


def test_a_finding_with_one_class_only_is_marked_and_left_out(table, save):
    table = table.copy()
    table.loc[(table["target"] == "nih") & (table["finding"].str.lower() == "mass"), "label"] = 0
    reading = PublishedReading(read_predictions(save(table)), replicates=50)
    row = reading.rebuilt.set_index(["target", "label_ratio", "method"]).loc["nih", 1.0, "refers"]
    assert row.num_one_class == 1 and 0.5 < row.auroc < 1
    of_finding = reading.by_finding.query("target == 'nih' and finding == 'Mass'")
    assert of_finding["p_holm"].isna().all() and (of_finding["num_dropped"] == 50).all()


def test_without_a_file_there_is_nothing_to_read(tmp_path):
    assert open_reading("") is None
    assert open_reading(str(tmp_path / "none.parquet")) is None


def test_copies_are_found(table, save):
    predictions = read_predictions(save(table))["nih"]
    pairs = likeness(predictions, 1.0).set_index(["a", "b"])
    assert pairs.loc[("c2l", "imagenet"), "same_positives"] == 1
    assert pairs.loc[("c2l", "imagenet"), "same_negatives"] < 0.1
    assert pairs.loc[("c2l", "refers"), "same_positives"] < 0.1
    first, second = predictions.scores["c2l", 1.0], predictions.scores["refers", 1.0]
    expected = np.median([np.corrcoef(*pair)[0, 1] for pair in zip(first.T, second.T, strict=True)])
    assert pairs.loc[("c2l", "refers"), "correlation"] == pytest.approx(expected)


@pytest.fixture(scope="module")
def published(shared):
    folder = shared / "published"
    return open_reading(str(folder / "refers_predictions.parquet"), str(folder / "splits"), replicates=300)


def test_every_published_mean_equals_scikit_learn(published, shared):
    """In a second way: from the file itself, finding by finding, by scikit-learn."""
    table = pd.read_parquet(shared / "published" / "refers_predictions.parquet")
    keys = ["target", "label_ratio", "method", "finding"]
    areas = {
        key: roc_auc_score(part["label"], part["score"]) for key, part in table.groupby(keys, observed=True)
    }
    means = pd.Series(areas).groupby(level=[0, 1, 2]).mean()
    assert len(means) == 53
    rebuilt = published.rebuilt.dropna(subset="auroc")
    assert len(rebuilt) == 53
    for row in rebuilt.itertuples():
        expected = means[row.target, np.float32(row.label_ratio), row.method]
        assert 100 * row.auroc == pytest.approx(100 * expected, abs=0.005)


def test_the_disagreements_of_the_printed_table_are_marked(published):
    marked = published.rebuilt.query("differs").set_index(["method", "target", "label_ratio"])
    assert {("refers", "vinbigdata", ratio) for ratio in (0.01, 0.1, 1.0)} <= set(marked.index)
    assert ("context_restoration", "nih", 1.0) in marked.index
    assert marked.loc[("context_restoration", "nih", 1.0), "gap"] == pytest.approx(2.92, abs=0.01)
    assert len(marked) == 15
    agree = published.rebuilt.query("not differs and auroc == auroc")
    assert agree["gap"].abs().max() < 0.3  # nothing lies near the border


def test_refers_against_c2l_holds_0_where_images_are_few_and_not_where_they_are_many(published):
    found = published.differences.query("other == 'c2l'").set_index(["target", "label_ratio"])
    for target in ("covid19_vs_rest", "shenzhen"):
        row = found.loc[target, 1.0]
        assert row.low < 0 < row.high and row.verdict == "not told apart"
        assert row.p_paper < 0.002 and row.p_delong > 0.05
    large = found.drop(index=[("covid19_vs_rest", 1.0), ("shenzhen", 1.0)])
    assert len(large) == 6 and (large["low"] > 0).all() and (large["verdict"] == "better").all()


def test_images_of_nih_belong_to_patients_and_another_list_is_refused(published, shared, tmp_path):
    patients = published.patients["nih"]
    assert len(patients) == 22_433 and len(set(patients)) == 6187
    lists = tmp_path / "nih"
    lists.mkdir()
    lines = (shared / "published" / "splits" / "nih" / "test.txt").read_text().splitlines()
    (lists / "test.txt").write_text("\n".join(lines[1:]))
    with pytest.raises(ValueError, match="22,432 lines for 22,433 images"):
        nih_patients(tmp_path, published.predictions["nih"])
    assert nih_patients(tmp_path / "none", published.predictions["nih"]) is None


def test_equal_scores_of_published_baselines_are_found(published):
    """A fact about the files: on Shenzhen three baselines have the same scores for all positives."""
    pairs = likeness(published.predictions["shenzhen"], 1.0).set_index(["a", "b"])
    for pair in (("c2l", "imagenet"), ("c2l", "model_genesis")):
        assert pairs.loc[pair, "same_positives"] == 1 and pairs.loc[pair, "same_negatives"] == 0
    assert pairs.xs("refers", level="b")["correlation"].max() < 0.9
