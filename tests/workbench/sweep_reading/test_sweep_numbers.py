"""What a sweep says: tables, label efficiency, effects; against the tables of the runs and naive sums."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lib.metrics.label_efficiency import NOT_TOLD_APART
from lib.metrics.statistics import paired_bootstrap_auroc
from workbench.results import findings
from workbench.summary import stacked
from workbench.sweep_reading.effects import (
    OPEN,
    OTHER,
    SAME,
    effects,
    finding_effects,
    interaction,
    same_sign,
)
from workbench.sweep_reading.resamples import TargetResamples
from workbench.sweep_reading.results import SweepResults
from workbench.sweep_tables import sweep_summary
from workbench.sweeps import runs_of

FOUR = ["REFERS", "generation only", "consistency only", "Random"]


@pytest.fixture(scope="module")
def cells(sweep_monitor):
    return sweep_monitor.watch.finished_cells()


@pytest.fixture(scope="module")
def read(cells):
    return TargetResamples(cells, replicates=100)


def of(cells, method, label_ratio):
    runs = {
        one.seed: one.outcome.run for one in cells if (one.method, one.label_ratio) == (method, label_ratio)
    }
    return stacked(runs)


def test_the_table_is_that_of_the_sweep(sweep_monitor, cells):
    expected = sweep_summary(sweep_monitor.sweep, cells, replicates=100)
    pd.testing.assert_frame_equal(sweep_monitor.numbers, expected)


def test_findings_are_those_of_the_runs(sweep_monitor, cells):
    found = sweep_monitor.results.findings("tiny", 0.1)
    expected = findings(runs_of([one for one in cells if one.label_ratio == 0.1]), replicates=100)
    assert list(dict.fromkeys(found["method"])) == ["Random", "REFERS", "generation only", "consistency only"]
    both = found.merge(expected, on=["method", "finding"])
    assert len(both) == 8 and (both["low_x"] == both["low_y"]).all()


def test_only_what_is_new_is_computed(sweep_monitor, cells):
    results = SweepResults(sweep_monitor.sweep, cells[:-1], replicates=10)
    new = cells[-1].label_ratio
    (old,) = {0.1, 1.0} - {new}
    before, read = results.findings("tiny", new), results.resamples("tiny")
    results.update(cells)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("workbench.sweep_reading.results.findings", None)  # nothing can be computed
        with pytest.raises(TypeError):
            results.findings("tiny", new)
        results.update(cells[:-1])
        assert results.findings("tiny", new).equals(before)
    assert results.resamples("tiny") is read
    results.update(cells)
    assert results.resamples("tiny") is not read
    assert len(results.findings("tiny", old)) == 8


def test_nothing_finished_gives_empty_tables(sweep_monitor):
    empty = SweepResults(sweep_monitor.sweep)
    assert empty.summary().empty and "target" in empty.summary()
    assert empty.findings("tiny", 1.0).empty
    with pytest.raises(ValueError, match="No fine-tuning of this target"):
        empty.resamples("tiny")


def test_an_effect_is_the_paired_difference(read, cells):
    found = effects(read, "REFERS")
    assert len(found) == 6 and set(found["num_seeds"]) == {2}
    for row in found.itertuples():
        a, b = of(cells, row.method, row.label_ratio), of(cells, "REFERS", row.label_ratio)
        paired = paired_bootstrap_auroc(
            a.labels, a.probabilities, b.probabilities, a.patients, replicates=100
        )
        assert (row.difference, row.low, row.high) == (paired.estimate, paired.low, paired.high)
        assert row.num_patients == paired.num_patients
        assert row.difference == pytest.approx(a.by_seed().mean() - b.by_seed().mean())


def test_effects_of_findings_have_the_mean_of_all(read):
    found, by_finding = effects(read, "Random"), finding_effects(read, "Random", 0.1)
    means = by_finding.groupby("method")["difference"].mean()
    for row in found[found["label_ratio"] == 0.1].itertuples():
        assert means[row.method] == pytest.approx(row.difference)
    assert finding_effects(read, "nobody", 0.1).empty


def test_an_interaction_is_what_the_sum_lacks(read, cells):
    found = interaction(read, FOUR)
    assert found["label_ratio"].tolist() == [0.1, 1.0]
    for row in found.itertuples():
        both, one, other, neither = (of(cells, name, row.label_ratio).by_seed().mean() for name in FOUR)
        np.testing.assert_allclose(
            [row.one, row.other, row.both], [one - neither, other - neither, both - neither]
        )
        assert row.difference == pytest.approx(both - one - other + neither)
        assert row.low <= row.difference <= row.high


def test_an_interaction_needs_four_methods(read):
    with pytest.raises(ValueError, match="needs four methods"):
        interaction(read, ["REFERS", "REFERS", "Random", "broken"])
    assert interaction(read, ["REFERS", "generation only", "broken", "Random"]).empty


def test_a_method_with_all_labels_is_enough_against_itself_with_fewer(read):
    enough = read.enough()
    assert set(enough) == {(a, b) for a in read.methods for b in read.methods if a != b}
    for (method, other), ratio in enough.items():
        steps = {step.label_ratio: step for step in read.label_steps(method, other)}
        assert sorted(steps) == [0.1, 1.0]
        later = [step.verdict for own, step in steps.items() if ratio is not None and own >= ratio]
        assert "worse" not in later
        if ratio is None:
            assert steps[1.0].verdict == "worse"


def test_other_test_images_are_left_out_and_named(cells, tmp_path):
    class Other:
        """A run whose test has one picture less."""

        def __init__(self, run):
            self.config, self.result = run.config, run.result
            self._table = run.predictions().iloc[1:]

        def predictions(self):
            return self._table

    some = [one for one in cells if one.label_ratio == 1.0 and one.method in ("Random", "REFERS")]
    strange = [
        one
        if one.method == "Random"
        else one.__class__(*list(vars(one).values())[:4], one.outcome._replace(run=Other(one.outcome.run)))
        for one in some
    ]
    read = TargetResamples(strange, replicates=10)
    assert read.left_out == ["REFERS"] and read.methods == ["Random"]
    assert effects(read, "Random").empty


@pytest.mark.parametrize(
    ("ours", "low", "high", "printed", "said"),
    [
        (-0.02, -0.03, -0.01, -1.3, SAME),
        (0.02, 0.01, 0.03, -1.3, OTHER),
        (-0.02, -0.05, 0.01, -1.3, OPEN),
        (-0.02, -0.03, -0.01, 0.0, ""),
        (float("nan"), float("nan"), float("nan"), -1.3, ""),
    ],
)
def test_signs_are_compared_where_an_interval_allows_it(ours, low, high, printed, said):
    assert same_sign(ours, low, high, printed) == said


def test_verdicts_are_those_of_the_interval(read):
    for row in effects(read, "REFERS").itertuples():
        assert (row.verdict == NOT_TOLD_APART) == (row.low <= 0 <= row.high)


def test_predictions_that_cannot_be_judged_leave_out_their_method(cells):
    class Spoilt:
        """A run with a probability that is NaN."""

        def __init__(self, run):
            self.config, self.result, self.folder = run.config, run.result, run.folder
            self._table = run.predictions()
            self._table.iloc[3, -1] = float("nan")

        def predictions(self):
            return self._table

    some = [one for one in cells if one.label_ratio == 1.0 and one.method in ("Random", "REFERS")]
    spoilt = [
        dataclasses.replace(one, outcome=one.outcome._replace(run=Spoilt(one.outcome.run))) for one in some
    ]
    mixed = [new if new.method == "Random" else old for new, old in zip(spoilt, some, strict=True)]
    read = TargetResamples(mixed, replicates=10)
    assert read.left_out == ["Random"] and read.methods == ["REFERS"]
    with pytest.raises(ValueError, match="has predictions that can be judged"):
        TargetResamples(spoilt, replicates=10)
    run = spoilt[0].outcome.run
    with pytest.raises(ValueError, match=r"1 probabilities are no numbers.*fine-tune again") as caught:
        stacked({0: run})
    assert str(run.folder) in str(caught.value)
