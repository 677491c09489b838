import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lib.metrics.classification import auroc


@pytest.mark.parametrize("num_cases", [2, 3, 10, 301])
@pytest.mark.parametrize("levels", [2, 5, 10_000])
def test_auroc_equals_sklearn_with_ties(num_cases, levels):
    generator = np.random.default_rng(num_cases * levels)
    labels = generator.integers(2, size=(4, 3, num_cases)).astype(float)
    labels[..., 0], labels[..., 1] = 0, 1
    probabilities = generator.integers(levels, size=labels.shape) / levels
    areas = auroc(labels, probabilities)
    assert areas.shape == (4, 3)
    for index in np.ndindex(4, 3):
        assert areas[index] == pytest.approx(roc_auc_score(labels[index], probabilities[index]), abs=1e-12)


def test_unknown_labels_are_left_out_as_if_the_cases_were_absent():
    generator = np.random.default_rng(0)
    labels = generator.choice([0.0, 1.0, np.nan], size=200)
    probabilities = generator.integers(20, size=200) / 20
    known = ~np.isnan(labels)
    assert auroc(labels, probabilities) == pytest.approx(
        roc_auc_score(labels[known], probabilities[known]), abs=1e-12
    )


def test_one_class_only_gives_nan_and_the_others_still_count():
    labels = np.array([[0, 0, 0], [1, 1, 1], [0, 1, 0], [np.nan, np.nan, 1]], float)
    areas = auroc(labels, np.array([0.1, 0.9, 0.2]))
    assert np.isnan(areas[[0, 1, 3]]).all() and areas[2] == 1.0


def test_all_probabilities_equal_gives_one_half_and_labels_broadcast_over_methods():
    labels = np.array([0.0, 1.0, 1.0])
    assert auroc(labels, [[0.5, 0.5, 0.5], [0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]).tolist() == [0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    ("labels", "probabilities", "named"), [([0, 2], [0.1, 0.2], "2.0"), ([0, 1], [np.nan, 0.2], "NaN")]
)
def test_nonsense_is_refused_by_name(labels, probabilities, named):
    with pytest.raises(ValueError, match=named):
        auroc(labels, probabilities)
