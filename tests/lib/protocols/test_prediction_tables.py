"""Predictions by study and by patient against a naive double, and what they are worth."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lib.metrics.statistics import bootstrap_auroc
from lib.protocols.finetune import FinetuneConfig
from lib.protocols.linear_probe import LinearProbeConfig
from lib.protocols.prediction_tables import average_cases, target_names, target_values
from lib.protocols.predictions import judge

NAN = math.nan


def drawn_table(num_patients: int = 40, seed: int = 0) -> pd.DataFrame:
    """Return 1-2 studies a patient with 1-3 images; the second label is not known of every study."""
    random = np.random.default_rng(seed)
    rows = []
    for patient in range(num_patients):
        for study in range(1 + random.integers(2)):
            labels = [float(random.random() < 0.4), random.choice([0.0, 1.0, NAN])]
            for image in range(1 + random.integers(3)):
                chances = np.clip(random.random(2) + 0.3 * np.nan_to_num(labels), 0, 1).astype(np.float32)
                ids = (f"s{patient}-{study}", f"p{patient}", f"v{patient}-{study}-{image}")
                rows.append((*ids, *labels, *chances))
    names = ["label/a", "label/b", "probability/a", "probability/b"]
    table = pd.DataFrame(rows, columns=["study_id", "patient_id", "view_id", *names])
    return table.astype({name: np.float32 for name in names}).sample(frac=1, random_state=seed)


def naive_average(table: pd.DataFrame, by: str) -> dict[str, dict[str, float]]:
    """Go through the rows one by one."""
    groups: dict[str, list] = {}
    for row in table.to_dict("records"):
        groups.setdefault(row[f"{by}_id"], []).append(row)
    averaged = {}
    for name, rows in groups.items():
        values = {}
        for target in "ab":
            known = [row[f"label/{target}"] for row in rows if not math.isnan(row[f"label/{target}"])]
            values[f"label/{target}"] = (1.0 if 1.0 in known else 0.0) if known else NAN
            values[f"probability/{target}"] = sum(row[f"probability/{target}"] for row in rows) / len(rows)
        averaged[name] = values
    return averaged


@pytest.mark.parametrize("by", ["study", "patient"])
def test_averages_equal_those_made_one_by_one(by):
    table = drawn_table()
    cases, expected = average_cases(table, by), naive_average(table, by)
    assert list(cases) == list(table) and cases[f"{by}_id"].tolist() == sorted(expected)
    for row in cases.to_dict("records"):
        for name, value in expected[row[f"{by}_id"]].items():
            assert row[name] == pytest.approx(value, rel=1e-6, nan_ok=True)
        image = table[table["view_id"] == row["view_id"]].iloc[0]
        assert (image["study_id"], image["patient_id"]) == (row["study_id"], row["patient_id"])
    assert len(cases) < len(table)


def test_without_a_unit_the_table_is_what_it_was():
    table = drawn_table()
    assert average_cases(table, "") is table


@pytest.mark.parametrize("by", ["study", "patient"])
def test_averages_are_judged_with_intervals_by_patient(by):
    table = drawn_table()
    report, expected = judge(table, average_by=by, replicates=200), naive_average(table, by)
    labels = [values["label/a"] for values in expected.values()]
    area = roc_auc_score(labels, [values["probability/a"] for values in expected.values()])
    assert report["per_label"]["a"]["estimate"] == pytest.approx(area, abs=1e-6)
    assert report["per_label"]["a"]["num_cases"] == report["num_cases"] == len(expected)
    assert report["num_images"] == len(table) and report["num_patients"] == 40
    cases = average_cases(table, by)
    interval = bootstrap_auroc(*target_values(cases), cases["patient_id"].to_numpy(), replicates=200)
    assert report["auroc"] == {
        key: pytest.approx(getattr(interval, key), abs=1e-6) for key in ("estimate", "low", "high")
    }
    by_image = judge(table, replicates=200)
    assert by_image["auroc"] != report["auroc"] and "num_cases" not in by_image


def test_classes_that_exclude_each_other_have_an_accuracy():
    table = drawn_table()
    table["label/b"] = 1 - table["label/a"]
    best = table["probability/a"] >= table["probability/b"]
    report = judge(table, task="multi_class", replicates=200)
    assert report["accuracy"]["estimate"] == pytest.approx((best == (table["label/a"] == 1)).mean(), abs=1e-6)
    assert report["accuracy"]["low"] < report["accuracy"]["estimate"] < report["accuracy"]["high"]
    assert "accuracy" not in judge(table, replicates=200)
    averaged = average_cases(table, "study")
    correct = (averaged["probability/a"] >= averaged["probability/b"]) == (averaged["label/a"] == 1)
    by_study = judge(table, task="multi_class", average_by="study", replicates=200)
    assert by_study["accuracy"]["estimate"] == pytest.approx(correct.mean(), abs=1e-6)


def test_columns_are_found_by_their_names():
    assert target_names(drawn_table()) == ["a", "b"]


@pytest.mark.parametrize("kind", [FinetuneConfig, LinearProbeConfig])
def test_what_cannot_be_averaged_is_refused_before_any_work(kind):
    with pytest.raises(ValueError, match="average_by is 'series'; it must be study, patient or empty"):
        kind(average_by="series")
    with pytest.raises(ValueError, match='"patient" and task "multi_class" contradict'):
        kind(average_by="patient", task="multi_class")
