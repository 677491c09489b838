"""One random sentence of the report per study and step: any of them, with its sides swapped when mirrored."""

from collections import Counter

import numpy as np
import pytest
from tiny_reader import make_study
from tiny_store import make_store

from lib.data.augment import AugmentConfig
from lib.data.laterality import swap_laterality
from lib.data.loader import StudyLoader, tokenize_reports
from lib.data.reports import report_sentences
from lib.data.text_units import texts_of
from lib.data.tokenizer import ReportTokenizer

SENTENCES = ("There is a left effusion.", "The right lung is clear.", "No edema.")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    studies = [
        make_study(0, findings=" ".join(SENTENCES[:2]), impression=SENTENCES[2]),
        make_study(2, findings="Only this one sentence.", impression=""),
        make_study(4, findings="", impression="Two here. The left side."),
    ]
    return make_store(tmp_path_factory.mktemp("sentences") / "store", studies=studies)


@pytest.fixture(scope="module")
def tokenizer(store):
    return ReportTokenizer.train(store.texts, 200)


def read(store, tokenizer, *, epochs, swap=True, **options):
    tokens = tokenize_reports(store, None, tokenizer, 0, 16, text_unit="sentence", swap=swap)
    loader = StudyLoader(
        store, np.arange(3), batch_size=3, num_views=1, image_size=24, tokens=tokens, seed=1, **options
    )
    for epoch in range(epochs):
        for batch in loader.epoch(epoch):
            for row, flipped, ids in zip(batch.study_rows, batch.flipped, batch.text_tokens, strict=True):
                yield int(row), bool(flipped), tokenizer.decode(ids.numpy())


def spoken(text: str, tokenizer) -> str:
    return tokenizer.decode(tokenizer.encode([text], 16)[0])


def test_every_sentence_is_drawn_about_equally_often(store, tokenizer):
    drawn = Counter(text for row, _, text in read(store, tokenizer, epochs=600) if row == 0)
    assert set(drawn) == {spoken(sentence, tokenizer) for sentence in SENTENCES}
    assert all(140 <= count <= 260 for count in drawn.values())
    assert {text for row, _, text in read(store, tokenizer, epochs=5) if row == 1} == {
        spoken("Only this one sentence.", tokenizer)
    }


@pytest.mark.parametrize("swap", (True, False))
def test_a_mirrored_study_has_its_sides_swapped_or_as_written(store, tokenizer, swap):
    augment = AugmentConfig(crop_size=24, rotation=0.0, flip=0.5)
    seen = set()
    plain = {
        row: [
            spoken(sentence, tokenizer)
            for sentence in report_sentences(store.studies.findings[row], store.studies.impression[row])
        ]
        for row in range(3)
    }
    swapped = {
        row: [
            spoken(swap_laterality(sentence), tokenizer)
            for sentence in report_sentences(store.studies.findings[row], store.studies.impression[row])
        ]
        for row in range(3)
    }
    for row, flipped, text in read(store, tokenizer, epochs=80, swap=swap, augment=augment, shuffle=True):
        assert text in (swapped if flipped and swap else plain)[row]
        seen.add((row, flipped, text))
    assert {flipped for row, flipped, _ in seen} == {True, False}


def test_validation_draws_the_same_each_time(store, tokenizer):
    first, second = (list(read(store, tokenizer, epochs=1)) for _ in range(2))
    assert first == second


def test_a_report_without_a_sentence_is_one_text():
    assert report_sentences("", "") == [""]
    assert report_sentences("...", "") == ["..."]


def test_the_impression_is_one_text_and_the_findings_where_there_is_none(store, tokenizer):
    tokens = tokenize_reports(store, None, tokenizer, 0, 16, text_unit="impression")
    assert tokens.text_starts.tolist() == [0, 1, 2, 3]
    expected = [SENTENCES[2], "Only this one sentence.", "Two here. The left side."]
    assert [tokenizer.decode(ids) for ids in tokens.text[0]] == [spoken(text, tokenizer) for text in expected]
    assert tokenizer.decode(tokens.text[1, 2]) == spoken("Two here. The right side.", tokenizer)
    assert texts_of(["Findings.", ""], ["", ""], "impression") == [["Findings."], [""]]


def test_sections_are_those_that_are_there():
    findings, impressions = ["Two lines,\none section.", "", "Alone.", ""], ["Last.", "Alone.", " ", ""]
    expected = [["Two lines, one section.", "Last."], ["Alone."], ["Alone."], [""]]
    assert texts_of(findings, impressions, "section") == expected


def test_an_unknown_unit_is_named(store, tokenizer):
    with pytest.raises(ValueError, match="text_unit 'word' is not one of report, sentence, "):
        tokenize_reports(store, None, tokenizer, text_unit="word")
