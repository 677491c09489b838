import numpy as np
import pytest

from lib.metrics.bootstrap import ResampledAUROC, paired_bootstrap_auroc
from lib.metrics.label_efficiency import enough_labels, label_efficiency, verdict


@pytest.fixture(scope="module")
def cases():
    """Method A gets better with its labels and passes the reference, which had all of them."""
    generator = np.random.default_rng(0)
    labels = (generator.random((400, 2)) < 0.4).astype(float)
    common = generator.standard_normal(labels.shape)
    methods = {
        name: strength * labels + common + 0.3 * generator.standard_normal(labels.shape)
        for name, strength in {"a1": 0.4, "a10": 1.02, "a100": 2.0, "reference": 1.0}.items()
    }
    return labels, methods, np.arange(400) // 2


def test_each_step_is_a_paired_comparison_with_its_verdict(cases):
    labels, methods, patients = cases
    resampled = ResampledAUROC(labels, methods, patients, replicates=500, seed=2)
    steps = label_efficiency(resampled, {1.0: "a100", 0.01: "a1", 0.1: "a10"}, "reference")
    assert [step.label_ratio for step in steps] == [0.01, 0.1, 1.0]
    assert [step.verdict for step in steps] == ["worse", "not told apart", "better"]
    for step, name in zip(steps, ("a1", "a10", "a100"), strict=True):
        expected = paired_bootstrap_auroc(
            labels, methods[name], methods["reference"], patients, replicates=500, seed=2
        )
        assert (step.difference.estimate, step.difference.low, step.difference.high) == (
            expected.estimate,
            expected.low,
            expected.high,
        )
    assert enough_labels(steps) == 0.1
    assert enough_labels(steps[:1]) is None
    # A step that is worse above one that is not: more labels, not fewer, are what counts.
    assert enough_labels([steps[2], steps[0]._replace(label_ratio=10.0)]) is None


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.02, "better"),
        (-0.02, -0.01, "worse"),
        (-0.01, 0.02, "not told apart"),
        (0, 1, "not told apart"),
    ],
)
def test_verdicts(low, high, said):
    assert verdict(low, high) == said
