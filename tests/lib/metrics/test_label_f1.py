import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from lib.metrics.label_f1 import label_f1


@pytest.mark.parametrize("num_reports", [5, 40, 300])
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_equals_sklearn(num_reports, share):
    generator = np.random.default_rng(num_reports)
    true, predicted = (generator.random((2, num_reports, 6)) < share).astype(int)
    true[0], predicted[0] = 1, 1  # so that no label is without a positive
    result = label_f1(true, predicted)
    assert result.label == pytest.approx(f1_score(true, predicted, average=None))
    assert result.macro == pytest.approx(f1_score(true, predicted, average="macro"))
    assert result.micro == pytest.approx(f1_score(true, predicted, average="micro"))
    assert result.precision == pytest.approx(precision_score(true, predicted, average=None))
    assert result.recall == pytest.approx(recall_score(true, predicted, average=None))
    assert result.num_true.tolist() == true.sum(0).tolist()


def test_labels_that_nobody_has_are_left_out_and_unknown_ones_are_not_counted():
    true = np.array([[1, 0, 0], [np.nan, 0, 0], [0, 0, 1]])
    predicted = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0]])
    result = label_f1(true, predicted)
    assert result.label[0] == 1 and np.isnan(result.label[1]) and result.label[2] == 0
    assert result.macro == 0.5 and result.micro == pytest.approx(2 / 3)
    assert np.isnan(result.precision[2]) and result.recall[2] == 0
    assert result.num_predicted.tolist() == [1, 0, 0]


def test_all_empty_is_nan_and_bad_values_are_named():
    result = label_f1(np.zeros((3, 2)), np.zeros((3, 2)))
    assert np.isnan(result.macro) and np.isnan(result.micro)
    with pytest.raises(ValueError, match="Predicted labels must be 0 or 1; found 0.5"):
        label_f1([[1, 0]], [[0.5, 0]])
    with pytest.raises(ValueError, match="True labels must be 0 or 1; found -1"):
        label_f1([[-1, 0]], [[1, 0]])
    with pytest.raises(ValueError, match=r"found \(1, 2\) and \(2, 1\)"):
        label_f1([[1, 0]], [[1], [0]])
