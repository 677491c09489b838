"""What is kept of predictions is what they say, and counts for nothing once they are other ones."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from lib.metrics.accuracy import bootstrap_accuracy
from lib.metrics.statistics import bootstrap_auroc
from lib.protocols import kept_resamples
from lib.protocols.kept_resamples import FILE, resample, resamples_of
from lib.protocols.prediction_tables import average_cases, target_values
from lib.protocols.predictions import judge, write_table


def drawn(seed=0, num_images=60):
    random = np.random.default_rng(seed)
    labels = np.eye(2)[random.integers(2, size=num_images)].astype(np.float32)
    scores = (labels + random.standard_normal(labels.shape)).astype(np.float32)
    names = [f"{row:03d}" for row in range(num_images)]
    columns = {
        "study_id": [f"s{name}" for name in names],
        "patient_id": [f"p{row // 3}" for row in range(num_images)],
        "view_id": [f"v{name}" for name in names],
        **{f"label/{name}": labels[:, k] for k, name in enumerate("ab")},
        **{f"probability/{name}": scores[:, k] for k, name in enumerate("ab")},
    }
    return pd.DataFrame(columns).sample(frac=1, random_state=seed)


@pytest.fixture
def judged(tmp_path):
    """Return a file of predictions as a fine-tuning leaves it, and what it was judged to be worth."""
    file, table = tmp_path / "run" / "predictions.parquet", drawn()
    write_table(file, table)
    report = judge(table, task="multi_class", average_by="study", file=file)
    return file, table, report


@pytest.fixture
def nothing_can_be_computed(monkeypatch):
    """Whatever is not read from a file is an error from here on."""
    monkeypatch.setattr(kept_resamples, "resample", None)


def as_numbers(resamples):
    return [
        *(resamples.auroc.estimate, *resamples.auroc.distances),
        *(resamples.accuracy.estimate, *resamples.accuracy.distances),
    ]


def test_what_is_read_is_to_the_last_digit_what_the_predictions_say(judged, monkeypatch):
    file, table, report = judged
    fresh, _ = resample(table, task="multi_class", average_by="study")
    monkeypatch.setattr(kept_resamples, "resample", None)
    read = resamples_of(file, task="multi_class", average_by="study")
    assert as_numbers(read) == as_numbers(fresh)
    assert (read.cases, read.num_images, read.num_cases, read.num_patients) == (fresh.cases, 60, 60, 20)
    cases = average_cases(table.sort_values("view_id"), "study")
    values, patients = target_values(cases), cases["patient_id"].to_numpy()
    expected = bootstrap_auroc(*values, patients)
    assert (read.auroc.estimate, *read.auroc.interval()) == (expected.estimate, expected.low, expected.high)
    accuracy = bootstrap_accuracy(values[0], values[1][None], patients)
    assert (read.accuracy.estimate, *read.accuracy.interval()) == accuracy
    assert report["auroc"]["low"] == pytest.approx(expected.low, abs=1e-6)
    assert report["accuracy"]["high"] == pytest.approx(accuracy.high, abs=1e-6)


def test_what_is_missing_is_computed_once(judged, monkeypatch):
    file, _, _ = judged
    first = resamples_of(file, task="multi_class", average_by="study")
    (file.parent / FILE).unlink()
    assert as_numbers(resamples_of(file, task="multi_class", average_by="study")) == as_numbers(first)
    monkeypatch.setattr(kept_resamples, "resample", None)
    assert as_numbers(resamples_of(file, task="multi_class", average_by="study")) == as_numbers(first)


def test_changed_predictions_are_seen(judged):
    file, table, _ = judged
    before = resamples_of(file, task="multi_class", average_by="study")
    table["probability/a"] = -table["probability/a"]  # as many bytes, or nearly so
    write_table(file, table)
    after = resamples_of(file, task="multi_class", average_by="study")
    assert after.cases == before.cases and after.auroc.estimate < before.auroc.estimate
    assert as_numbers(after) == as_numbers(resample(table, task="multi_class", average_by="study")[0])


def test_another_question_is_not_answered_by_what_is_kept(judged):
    file, table, _ = judged
    by_image = resamples_of(file)
    assert by_image.accuracy is None
    assert by_image.auroc.estimate == resample(table)[0].auroc.estimate
    few = resamples_of(file, replicates=20)
    assert len(few.auroc.distances) == 20 and len(resamples_of(file).auroc.distances) == 2000


@pytest.mark.usefixtures("nothing_can_be_computed")
def test_a_copied_folder_is_known_by_its_contents(judged, tmp_path):
    file, _, _ = judged
    copy = tmp_path / "copy" / file.name
    shutil.copytree(file.parent, copy.parent)
    os.utime(copy, ns=(1, 1))
    assert resamples_of(copy, task="multi_class", average_by="study").num_images == 60


@pytest.mark.parametrize("contents", [b"", b"cut off", b'\x10\x00\x00\x00\x00\x00\x00\x00{"a":1}        '])
def test_a_file_that_cannot_be_read_is_written_again(judged, contents):
    file, _, _ = judged
    (file.parent / FILE).write_bytes(contents)
    resamples_of(file, task="multi_class", average_by="study")
    assert (file.parent / FILE).stat().st_size > 32_000


def test_another_version_of_us_computes_again(judged, monkeypatch):
    file, _, _ = judged
    monkeypatch.setattr(kept_resamples, "VERSION", "2")
    monkeypatch.setattr(kept_resamples, "resample", None)
    with pytest.raises(TypeError):
        resamples_of(file, task="multi_class", average_by="study")


def test_a_folder_that_cannot_be_written_to_is_read_all_the_same(judged, monkeypatch):
    file, table, _ = judged
    (file.parent / FILE).unlink()

    def refuse(*_):
        raise PermissionError("read only")

    monkeypatch.setattr(kept_resamples, "atomic_path", refuse)
    assert resamples_of(file).auroc.estimate == resample(table)[0].auroc.estimate
    assert not (file.parent / FILE).exists()


def test_cases_are_told_apart_by_ids_patients_labels_and_targets(judged):
    _, table, _ = judged
    table = table.reset_index(drop=True)
    cases = resample(table, replicates=2)[0].cases
    assert resample(table.sample(frac=1, random_state=1), replicates=2)[0].cases == cases
    assert resample(table.assign(**{"probability/a": 0.5}), replicates=2)[0].cases == cases
    for column, value in (("patient_id", "p99"), ("view_id", "v999"), ("label/a", np.nan)):
        other = table.copy()
        other.loc[0, column] = value
        assert resample(other, replicates=2)[0].cases != cases, column
    renamed = table.rename(columns={"label/a": "label/c", "probability/a": "probability/c"})
    assert resample(renamed, replicates=2)[0].cases != cases
    assert resample(table.iloc[1:], replicates=2)[0].cases != cases


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda table: pd.concat([table, table[:2]]), r"has image v\d+ more than once \(2 rows too many\)"),
        (lambda table: table[:0], "it has no rows"),
        (lambda table: table.drop(columns="probability/b"), "it has no column probability/b"),
        (lambda table: table.drop(columns="patient_id"), "it has no column patient_id"),
        (lambda table: table[["study_id", "patient_id", "view_id"]], "it has no targets"),
        (lambda table: table.assign(**{"label/a": 2.0}), "a label is 2; it must be 0, 1 or unknown"),
        (
            lambda table: table.assign(**{"probability/b": np.nan}),
            r"60 probabilities are no numbers, first that of b for image v\d+",
        ),
    ],
)
def test_predictions_that_cannot_be_judged_are_named_with_the_fix(judged, spoil, said):
    file, table, _ = judged
    write_table(file, spoil(table))
    with pytest.raises(ValueError, match=said) as caught:
        resamples_of(file)
    assert str(file) in str(caught.value)
    assert str(caught.value).endswith("Remove its run folder and fine-tune again.")


def test_predictions_that_were_cut_off_or_lost_are_named_with_the_fix(judged):
    file, _, _ = judged
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ValueError, match="predictions.parquet cannot be judged: .*fine-tune again"):
        resamples_of(file)
    file.unlink()
    with pytest.raises(FileNotFoundError, match="predictions.parquet is missing. Remove its run folder"):
        resamples_of(file)
