import collections

import pytest

from lib.data.phantom import labeller
from lib.data.phantom.draw import Draw
from lib.data.phantom.labeller import AFFIRMED, DENIED, HEDGED, SILENT, label_by_consensus, label_report
from lib.data.phantom.report import write_report
from lib.data.phantom.visit import sample_visit
from lib.data.readers import open_reader

STUDIES = 3000


def measured(outcomes):
    return {key: sum(values) / len(values) for key, values in outcomes.items()}


@pytest.fixture(scope="module")
def source():
    missed, false = collections.defaultdict(list), collections.defaultdict(list)
    for index, study in enumerate(open_reader("phantom", studies=STUDIES, seed=11)):
        visit = sample_visit("source", 11, index, 256)
        mentions = write_report(visit, visit.stream("report")).mentions
        truth = {finding.name for finding in visit.findings}
        for name, mention in mentions.items():
            (missed if name in truth else false)[mention].append(
                (study.labels[name] == 1.0) != (name in truth)
            )
    return measured(missed), measured(false)


def test_source_errors_are_the_stated_ones(source):
    missed, false = source
    assert set(missed) == {AFFIRMED, HEDGED}
    assert set(false) == {HEDGED, DENIED, SILENT}
    assert missed[AFFIRMED] == pytest.approx(labeller.MISSES[AFFIRMED], abs=0.015)
    assert missed[HEDGED] == pytest.approx(labeller.MISSES[HEDGED], abs=0.08)
    assert false[HEDGED] == pytest.approx(labeller.FALSE_ALARMS[HEDGED], abs=0.12)
    assert false[DENIED] == pytest.approx(labeller.FALSE_ALARMS[DENIED], abs=0.004)
    assert false[SILENT] == pytest.approx(labeller.FALSE_ALARMS[SILENT], abs=0.002)


def test_target_errors_are_the_stated_ones():
    outcomes = collections.defaultdict(list)
    for index, study in enumerate(open_reader("phantom_target", studies=STUDIES, seed=11)):
        truth = {finding.name for finding in sample_visit("target", 11, index, 256).findings}
        for name, label in study.labels.items():
            outcomes[name in truth].append((label == 1.0) != (name in truth))
    rates = measured(outcomes)
    assert rates[True] == pytest.approx(labeller.CONSENSUS_MISS, abs=0.012)
    assert rates[False] == pytest.approx(labeller.CONSENSUS_FALSE_ALARM, abs=0.003)


def test_stated_text_holds_the_stated_numbers():
    noise = open_reader("phantom").label_noise
    assert f"{labeller.MISSES[AFFIRMED]:.1%}" in noise
    assert f"{labeller.FALSE_ALARMS[DENIED]:.1%}" in noise
    assert f"{labeller.CONSENSUS_MISS:.1%}" in open_reader("phantom_target").label_noise


def test_labels_are_zero_or_one():
    mentions = dict.fromkeys(labeller.LABEL_NAMES, SILENT) | {"Mass": AFFIRMED}
    for labels in (
        label_report(frozenset({"Mass"}), mentions, Draw(1)),
        label_by_consensus(frozenset(), Draw(2)),
    ):
        assert set(labels) == set(labeller.LABEL_NAMES)
        assert set(labels.values()) <= {0.0, 1.0}
