import numpy as np
import pytest

from lib.metrics.bootstrap import draw_patients
from lib.metrics.classification import auroc
from lib.metrics.statistics import bootstrap_auroc, paired_bootstrap_auroc


def cases(num_cases=120, num_labels=3, num_seeds=2, num_patients=40, seed=0):
    generator = np.random.default_rng(seed)
    labels = (generator.random((num_cases, num_labels)) < [0.5, 0.2, 0.05][:num_labels]).astype(float)
    labels[generator.random(labels.shape) < 0.1] = np.nan
    signal = np.nan_to_num(labels) + 1.5 * generator.standard_normal((num_seeds, num_cases, num_labels))
    patients = generator.integers(num_patients, size=num_cases)
    return labels, np.round(signal, 1), patients  # rounded: with ties


def naive_samples(labels, probabilities, patients, replicates, seed):
    """Copy the rows of every drawn patient, as often as drawn, and compute the plain AUROC."""
    names = np.unique(patients)
    rows_of = [np.flatnonzero(patients == name) for name in names]
    samples = []
    for counts in draw_patients(len(names), replicates, seed):
        for column in counts.T.astype(int):
            rows = np.concatenate(
                [np.tile(rows, count) for rows, count in zip(rows_of, column, strict=True)]
            ).astype(int)
            samples.append(auroc(labels[rows].T, probabilities[:, rows].transpose(0, 2, 1)).mean(0))
    return np.array(samples)


def test_bootstrap_equals_copying_the_rows_of_the_drawn_patients():
    labels, probabilities, patients = cases()
    result = bootstrap_auroc(labels, probabilities, patients, replicates=300, seed=5)
    samples = naive_samples(labels, probabilities, patients, 300, 5)
    np.testing.assert_allclose(result.label_low, np.nanquantile(samples, 0.025, axis=0), atol=1e-12)
    np.testing.assert_allclose(result.label_high, np.nanquantile(samples, 0.975, axis=0), atol=1e-12)
    assert result.num_dropped.tolist() == np.isnan(samples).sum(0).tolist()
    complete = bootstrap_auroc(labels[:, :2], probabilities[..., :2], patients, replicates=300, seed=5)
    assert complete.num_dropped.sum() == 0
    means = samples[:, :2].mean(1)
    assert (complete.low, complete.high) == pytest.approx(
        tuple(np.quantile(means, [0.025, 0.975])), abs=1e-12
    )


def test_draws_are_patients_with_replacement():
    counts = np.concatenate(list(draw_patients(50, 600, 1)), axis=1)
    assert counts.shape == (50, 600)
    assert (counts.sum(0) == 50).all()
    assert abs((counts == 0).mean() - (1 - 1 / 50) ** 50) < 0.01


def test_clusters_widen_the_interval():
    labels, probabilities, _ = cases(num_cases=60, num_labels=1, num_seeds=1)
    repeated = [np.repeat(array, 5, axis=axis) for array, axis in ((labels, 0), (probabilities, 1))]
    by_patient = bootstrap_auroc(*repeated, np.repeat(np.arange(60), 5))
    by_case = bootstrap_auroc(*repeated, np.arange(300))
    once = bootstrap_auroc(labels, probabilities, np.arange(60))
    assert by_patient.estimate == by_case.estimate == once.estimate
    assert (by_patient.low, by_patient.high) == (once.low, once.high)
    assert by_case.high - by_case.low < 0.7 * (once.high - once.low)


def test_pairing_narrows_the_interval_of_two_similar_methods():
    labels, probabilities, patients = cases(num_seeds=1)
    similar = probabilities + 0.1 * np.random.default_rng(9).standard_normal(probabilities.shape)
    alone = bootstrap_auroc(labels, probabilities, patients)
    paired = paired_bootstrap_auroc(labels, probabilities, similar, patients)
    assert paired.low < paired.estimate < paired.high
    assert paired.high - paired.low < 0.4 * (alone.high - alone.low)
    same = paired_bootstrap_auroc(labels, probabilities, np.stack([probabilities[0]] * 3), patients)
    assert (same.estimate, same.low, same.high) == pytest.approx((0, 0, 0), abs=1e-12)


def test_resamples_with_one_class_only_are_dropped_and_counted():
    labels = np.zeros((30, 2))
    labels[0, 0] = 1  # one positive patient: absent in (29/30)^30 = 36 % of the resamples
    labels[::2, 1] = 1
    probabilities = np.linspace(0, 1, 60).reshape(30, 2)
    result = bootstrap_auroc(labels, probabilities, np.arange(30))
    assert result.num_dropped[0] == pytest.approx(2000 * (29 / 30) ** 30, abs=100)
    assert result.num_dropped[1] == 0
    assert result.num_positives.tolist() == [1, 15] and result.num_cases.tolist() == [30, 30]
    # The first label is always wrong, the second about one half: dropping the first must not help.
    assert result.label_estimate[0] == 0 and result.high < 0.5


def test_label_with_one_class_in_the_test_set_is_nan_and_not_in_the_mean():
    labels = np.array([[0, 0], [1, 0], [0, 0], [1, 0]], float)
    result = bootstrap_auroc(labels, np.array([[0.1, 0], [0.9, 0], [0.2, 0], [0.8, 1]]), list("abcd"))
    assert result.estimate == 1.0 and np.isnan(result.label_estimate[1]) and np.isnan(result.label_low[1])
    assert result.num_dropped[1] == 2000
    assert result.num_patients == 4


def test_same_seed_same_interval_and_wrong_shapes_are_refused():
    labels, probabilities, patients = cases()
    one = bootstrap_auroc(labels, probabilities, patients, replicates=100, seed=3)
    two = bootstrap_auroc(labels, probabilities, patients, replicates=100, seed=3)
    other = bootstrap_auroc(labels, probabilities, patients, replicates=100, seed=4)
    assert (one.low, one.high) == (two.low, two.high) != (other.low, other.high)
    with pytest.raises(ValueError, match=r"\[N, K\]"):
        bootstrap_auroc(labels[:, 0], probabilities[0, :, 0], patients)
    with pytest.raises(ValueError, match="119 patients for 120 cases"):
        bootstrap_auroc(labels, probabilities, patients[:-1])


PUBLISHED = [  # target, label ratio, AUROC of REFERS in percent: shared/published/README.md
    ("nih", 0.01, 76.68),
    ("nih", 0.1, 80.93),
    ("nih", 1.0, 84.41),
    ("vinbigdata", 0.01, 81.09),
    ("vinbigdata", 0.1, 86.84),
    ("vinbigdata", 1.0, 88.59),
    ("shenzhen", 1.0, 97.90),
    ("covid19_vs_rest", 1.0, 82.15),
]


@pytest.fixture(scope="module")
def published(shared):
    import pandas as pd

    table = pd.read_parquet(
        shared / "published" / "refers_predictions.parquet", filters=[("method", "in", ["refers", "c2l"])]
    )
    table["finding"] = table.finding.astype(
        str
    ).str.lower()  # "Lung opacity" in one file, "Lung Opacity" else
    table["label_ratio"] = table.label_ratio.round(2)

    def matrices(target, label_ratio, method):
        rows = table[
            (table.target == target) & np.isclose(table.label_ratio, label_ratio) & (table.method == method)
        ]
        wide = rows.pivot(index="row", columns="finding", values=["label", "score"])
        return wide["label"].to_numpy(float), wide["score"].to_numpy(float)

    return matrices


@pytest.mark.parametrize(("target", "label_ratio", "percent"), PUBLISHED)
def test_published_predictions_give_the_published_mean(published, target, label_ratio, percent):
    labels, probabilities = published(target, label_ratio, "refers")
    assert 100 * auroc(labels.T, probabilities.T).mean() == pytest.approx(percent, abs=0.01)


@pytest.mark.parametrize(
    ("target", "low", "high"), [("covid19_vs_rest", -3.5, 12.2), ("shenzhen", -0.9, 5.8)]
)
def test_published_paired_interval_of_refers_over_c2l(published, target, low, high):
    labels, refers = published(target, 1.0, "refers")
    same_labels, c2l = published(target, 1.0, "c2l")
    assert (labels == same_labels).all()
    result = paired_bootstrap_auroc(labels, refers, c2l, np.arange(len(labels)))
    # Two draws of 2,000 resamples differ by some tenths at the ends.
    assert (100 * result.low, 100 * result.high) == pytest.approx((low, high), abs=0.5)
