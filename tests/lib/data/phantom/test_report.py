"""Reports read by patterns of this file alone, against the truth."""

import re

import numpy as np
import pytest

from lib.data.phantom.domain import LABEL_NAMES
from lib.data.phantom.labeller import AFFIRMED, DENIED, HEDGED, SILENT
from lib.data.phantom.report import write_report
from lib.data.phantom.visit import sample_visit

SPOKEN = {
    "Cardiomegaly": r"cardiomegaly|enlarge",
    "Pleural Effusion": r"pleural effusion",
    "Pneumothorax": r"pneumothorax",
    "Consolidation": r"consolidation|pneumonia",
    "Atelectasis": r"atelectasis",
    "Nodule": r"nodule",
    "Mass": r"\bmass\b",
    "Edema": r"edema",
    "Emphysema": r"emphysema",
    "Rib Fracture": r"fracture",
}
SIDES = {"left": r"\bleft|\bL[UL]L\b", "right": r"\bright|\bR[UML]L\b"}
NEGATION = r"\b(no|negative for|without)\b"
HEDGE = r"possibl|probabl|suspected|suspicious for|questionabl|may |could |cannot|likely"


@pytest.fixture(scope="module")
def reported():
    visits = [sample_visit("source", 3, index, 128) for index in range(1500)]
    return [(visit, write_report(visit, visit.stream("report"))) for visit in visits]


def sentences(text):
    return re.split(r"(?<=[a-z)])\.\s+|\.$", text)


def test_every_true_finding_is_named_with_its_side(reported):
    for visit, report in reported:
        text = f"{report.findings} {report.impression}"
        for finding in visit.findings:
            spoken = [
                part
                for part in sentences(text)
                if re.search(SPOKEN[finding.name], part, re.I) and not re.search(NEGATION, part, re.I)
            ]
            assert spoken, (finding, text)
            if finding.side:
                wanted = SIDES[finding.side] + ("|bilateral" if finding.name == "Pleural Effusion" else "")
                assert any(re.search(wanted, part, re.I) for part in spoken), (finding, text)
            assert report.mentions[finding.name] in (AFFIRMED, HEDGED)


def test_only_absent_findings_are_denied_and_only_true_ones_affirmed(reported):
    for visit, report in reported:
        truth = {finding.name for finding in visit.findings}
        for name, mention in report.mentions.items():
            assert not (mention == DENIED and name in truth)
            assert not (mention == AFFIRMED and name not in truth)
            assert not (mention == SILENT and name in truth)


def test_mentions_say_what_the_text_says(reported):
    for _, report in reported:
        parts = sentences(f"{report.findings} {report.impression}")
        for name, mention in report.mentions.items():
            about = [part for part in parts if re.search(SPOKEN[name], part, re.I)]
            if mention == SILENT:
                assert not about, (name, about)
            if mention == HEDGED:
                assert any(re.search(HEDGE, part, re.I) for part in about), (name, about)
            if mention == AFFIRMED:
                assert any(not re.search(NEGATION, part, re.I) for part in about), (name, about)


def test_hedges_raise_what_is_there_and_what_is_not(reported):
    hedged = [
        name in {finding.name for finding in visit.findings}
        for visit, report in reported
        for name, mention in report.mentions.items()
        if mention == HEDGED
    ]
    assert 0.04 < len(hedged) / len(reported) < 0.5
    assert 0.2 < np.mean(hedged) < 0.9


def test_text_is_clean(reported):
    for _, report in reported:
        for text in (report.findings, report.impression):
            assert not re.search(r"[\[\]{}|]|\.\.|  | \.| ,|None", text), text
            assert text == text.strip()
            assert text == "" or text.endswith(".")
            assert text.isascii()
        assert report.impression


def test_length_and_variety(reported):
    texts = [f"{report.findings} {report.impression}" for _, report in reported]
    words = np.array([len(text.split()) for text in texts])
    assert np.quantile(words, 0.1) >= 15
    assert np.quantile(words, 0.9) <= 75
    assert 25 < np.median(words) < 50
    assert len(set(texts)) > 0.95 * len(texts)
    assert 0.01 < np.mean([report.findings == "" for _, report in reported]) < 0.06


def test_reports_say_more_than_labels(reported):
    text = " ".join(f"{report.findings} {report.impression}" for _, report in reported)
    for word in (
        "upper",
        "lower",
        "mild",
        "severe",
        "small",
        "large",
        "cm",
        "posterior",
        "SVC",
        "pacemaker",
        "bilateral",
    ):
        assert word in text


def test_normal_study_reads_normal(reported):
    normal = [
        report for visit, report in reported if not visit.findings and HEDGED not in report.mentions.values()
    ]
    for report in normal:
        assert re.match(r"(No|Normal|Unremarkable|Negative)", report.impression)


def test_all_findings_are_covered_here():
    assert set(SPOKEN) == set(LABEL_NAMES)
