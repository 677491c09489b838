"""Report generation: a writer that sees the labels is perfect, and the baselines against naive doubles."""

import collections
import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_pairs import SIZE, LabelEyes, make_store
from tiny_studies import TinyStudies

from lib.data.ingest import ingest
from lib.data.loader import StudyLoader
from lib.data.splits import make_manifest
from lib.data.tokenizer import ReportTokenizer
from lib.metrics.generation import cider_d_per_sample, words
from lib.protocols import PROTOCOLS
from lib.protocols.features import Features, extract_features
from lib.protocols.report_generation import (
    TrainingReports,
    generate_and_judge,
    most_frequent,
    nearest_rows,
    rows_with_reports,
)
from lib.registry import resolve

MAX_TOKENS = 60


class LabelWriter(torch.nn.Module):
    """Writes the report that `TinyStudies` writes of the labels that it sees in the first view."""

    def __init__(self, tokenizer: ReportTokenizer):
        super().__init__()
        self.encoder, self.tokenizer, self.beams = LabelEyes(), tokenizer, []

    def generate(self, images: torch.Tensor, beam_size: int) -> torch.Tensor:
        self.beams.append(beam_size)
        seen = self.encoder(images[:, 0]).pooled > 0
        return torch.from_numpy(
            self.tokenizer.encode([self.write(*row) for row in seen.tolist()], MAX_TOKENS)
        )

    def write(self, opacity: bool, device: bool, rare: bool) -> str:
        text = "There is an opacity on the left." if opacity else "The lungs are clear."
        text += " A device is in place." if device else " No device is seen."
        return text + (" Rare finding." if rare else "")


class SameWriter(LabelWriter):
    """Writes the same few words about everything."""

    def write(self, *_: bool) -> str:
        return "No device."


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("report_generation") / "tiny")


@pytest.fixture(scope="module")
def manifest(store):
    return make_manifest(store, seed=0)


@pytest.fixture(scope="module")
def tokenizer(store):
    return ReportTokenizer.train(store.texts, 200)


@pytest.fixture(scope="module")
def features(store) -> Features:
    loader = StudyLoader(
        store, np.arange(len(store)), batch_size=64, num_views=1, image_size=SIZE, unit="image"
    )
    return extract_features(LabelEyes().eval(), loader)


@pytest.fixture(scope="module")
def training(store, manifest, features) -> TrainingReports:
    return TrainingReports(
        features.of(manifest.rows("train")), store.studies["study_id"].tolist(), store.texts
    )


def load(store, rows) -> StudyLoader:
    return StudyLoader(store, rows, batch_size=7, num_views=2, image_size=SIZE)


@pytest.fixture(scope="module")
def judged(store, manifest, tokenizer, features, training):
    writer = LabelWriter(tokenizer).eval()
    loader = load(store, manifest.rows("test"))
    judged = generate_and_judge(writer, tokenizer, loader, features, training, beam_size=3, progress=False)
    assert set(writer.beams) == {3}
    return judged


def test_a_perfect_writer_scores_full_marks(judged, store, manifest):
    scores = judged.summary["scores"]["generated"]
    for name in ("bleu_1", "bleu_4", "rouge_l", "label_f1_micro", "label_f1_macro"):
        assert scores[name]["estimate"] == pytest.approx(1, abs=1e-4), name
    assert scores["cider_d"]["estimate"] == pytest.approx(10, abs=1e-4)
    rows = manifest.rows("test")
    assert judged.table["study_id"].tolist() == store.studies["study_id"].iloc[rows].tolist()
    assert judged.table["reference"].tolist() == [store.texts[row] for row in rows]
    for written, true in zip(judged.table["generated"], judged.table["reference"], strict=True):
        assert words(written) == words(true) and "[" not in written
    assert judged.summary["num_studies"] == judged.summary["num_corpus"] == len(rows)
    assert judged.summary["num_patients"] == len(set(store.studies["patient_id"].iloc[rows]))


def test_the_constant_report_is_worth_less_than_the_nearest(judged):
    scores, difference = judged.summary["scores"], judged.summary["difference"]
    assert scores["constant"]["cider_d"]["estimate"] < 9 < scores["nearest"]["cider_d"]["estimate"]
    assert difference["constant"]["cider_d"]["high"] < 0
    # Pictures with the same labels have the same feature: here the neighbour's report is the true one.
    assert difference["generated"]["cider_d"] == {"estimate": 0, "low": 0, "high": 0}
    variety = judged.summary["variety"]
    assert variety["constant"]["num_different"] == 1 and variety["nearest"]["share_in_training"] == 1
    assert variety["generated"]["num_different"] == variety["reference"]["num_different"] > 3


def test_the_nearest_is_that_of_a_naive_search_and_ties_go_by_row_order(store, manifest, judged, training):
    looked = load(store, manifest.rows("test"))
    for place, batch in enumerate(looked.epoch(0)):
        seen = LabelEyes()(batch.images[:, 0]).pooled.numpy()
        for number, value in enumerate(seen):
            cosines = [
                round(float(value @ other / np.linalg.norm(value) / np.linalg.norm(other)), 9)
                for other in training.features.values.astype(float)
            ]
            expected = training.studies[training.features.study_rows[cosines.index(max(cosines))]]
            assert judged.table["nearest_study_id"][7 * place + number] == expected
    texts = dict(zip(store.studies["study_id"], store.texts, strict=True))
    assert judged.table["nearest"].tolist() == [texts[name] for name in judged.table["nearest_study_id"]]


def test_the_nearest_image_is_any_of_a_study_and_compares_with_the_first_view():
    random = np.random.default_rng(0)
    training = Features(np.array([4, 4, 9]), np.arange(3), random.standard_normal((3, 5)).astype(np.float32))
    values = np.stack([3 * training.values[2], training.values[0], training.values[1], training.values[2]])
    images = Features(np.array([1, 1, 6, 7]), np.arange(4), values)
    assert nearest_rows(images, np.array([6, 1, 7]), training).tolist() == [4, 9, 9]
    with pytest.raises(ValueError, match=r"1 of 2 studies have no features, for example study row 3"):
        nearest_rows(images, np.array([1, 3]), training)
    with pytest.raises(ValueError, match="nothing to copy"):
        nearest_rows(images, np.array([1]), training.of(np.array([5])))


def test_the_constant_is_the_most_frequent_training_report(store, manifest, judged, training):
    texts = [store.texts[row] for row in manifest.rows("train")]
    expected, count = collections.Counter(texts).most_common(1)[0]
    assert judged.summary["constant"] == {"text": expected, "num_training_studies": count}
    spelled = ["Only once.", "no  effusion", "No effusion.", "", ""]
    features = Features(np.arange(5), np.arange(5), np.ones((5, 2), np.float32))
    some = TrainingReports(features, list("abcde"), spelled).with_words()
    assert most_frequent(some) == ("no  effusion", 2)
    assert some.features.study_rows.tolist() == [0, 1, 2]  # an empty report is nothing to copy


def test_word_weights_are_those_of_the_whole_split_whatever_part_is_written(
    store, manifest, tokenizer, features, training
):
    rows, writer = manifest.rows("test"), SameWriter(tokenizer).eval()
    few = generate_and_judge(
        writer, tokenizer, load(store, rows[:5]), features, training, corpus=rows, progress=False
    )
    whole = generate_and_judge(writer, tokenizer, load(store, rows), features, training, progress=False)
    pd.testing.assert_frame_equal(few.table, whole.table[:5])
    references = [[store.texts[row]] for row in rows]
    expected = cider_d_per_sample(["No device."] * len(rows), references)
    np.testing.assert_allclose(whole.table["generated/cider_d"], expected)
    assert whole.summary["scores"]["generated"]["cider_d"]["estimate"] == pytest.approx(
        expected.mean(), abs=1e-6
    )
    assert whole.summary["difference"]["generated"]["bleu_4"]["high"] < 0
    assert whole.summary["variety"]["generated"]["num_different"] == 1
    assert whole.summary["variety"]["generated"]["share_in_training"] == 0


def test_studies_that_cannot_be_compared_and_objectives_that_cannot_write_are_refused(
    store, tokenizer, features, training, tmp_path
):
    writer, loader = LabelWriter(tokenizer).eval(), load(store, np.arange(4))
    with pytest.raises(ValueError, match="LabelEyes has no decoder and writes no reports"):
        generate_and_judge(LabelEyes(), tokenizer, loader, features, training, progress=False)
    with pytest.raises(ValueError, match="at least one hypothesis, not 0"):
        generate_and_judge(writer, tokenizer, loader, features, training, beam_size=0, progress=False)
    silent = ingest(TinyStudies(4, False), tmp_path / "silent", image_size=36, workers=0, progress=False)
    assert rows_with_reports(silent.texts, np.arange(4)).tolist() == []
    with pytest.raises(
        ValueError, match=r"4 of 4 studies have no report to compare with, for example s0, s1"
    ):
        generate_and_judge(writer, tokenizer, load(silent, np.arange(4)), features, training, progress=False)
    unwritten = dataclasses.replace(training, texts=[""] * len(store))
    with pytest.raises(ValueError, match="nothing to copy"):
        generate_and_judge(writer, tokenizer, loader, features, unwritten, progress=False)


def test_the_protocol_is_in_the_table():
    assert resolve("report_generation", PROTOCOLS) is generate_and_judge
