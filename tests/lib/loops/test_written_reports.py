"""Writing and its CIDEr in a validation, with a writer whose tokens are chosen by hand."""

import types

import numpy as np
import pytest
import torch

from lib.data.tokenizer import ReportTokenizer
from lib.loops.evaluate import GenerationConfig, WrittenCider, all_of, choose_written
from lib.loops.written_reports import check_can_write, write_reports
from lib.metrics.generation import cider_d, document_frequencies

REPORTS = ["the lungs are clear today", "a large effusion on the left", "", "the heart is large again"] * 3


class Batches:
    """Three batches of studies, of which the last is smaller."""

    def __init__(self, rows):
        self.rows = np.asarray(rows)

    def __len__(self):
        return 3

    def epoch(self, epoch, start=0):
        assert epoch == 0
        for part in np.array_split(self.rows, 3):
            rows = torch.from_numpy(part)
            yield types.SimpleNamespace(images=rows[:, None].float(), study_rows=rows)


class Writer(torch.nn.Module):
    """Writes what a table says of the study whose number stands in the image."""

    def __init__(self, tokenizer, texts):
        super().__init__()
        self.tokens = torch.from_numpy(tokenizer.encode(texts, 12)).long()

    def generate(self, images, beam_size):
        self.beam_size = beam_size
        return self.tokens[images[:, 0].long()]


@pytest.fixture(scope="module")
def tokenizer():
    return ReportTokenizer.train([text for text in REPORTS if text] * 3, 120)


def test_every_study_is_written_about_in_the_order_of_the_loader(tokenizer):
    writer, rows = Writer(tokenizer, REPORTS), [3, 0, 5, 4, 11, 2, 1]
    written = write_reports(writer, Batches(rows), tokenizer, beam_size=4)
    assert written.study_rows.tolist() == rows and writer.beam_size == 4
    assert written.texts == [REPORTS[row] for row in rows]


def test_special_tokens_are_no_words(tokenizer):
    writer = Writer(tokenizer, REPORTS)
    special = [tokenizer.unknown_id, tokenizer.mask_id]
    writer.tokens = torch.cat(
        [writer.tokens[:, :3], torch.tensor([special] * len(REPORTS)), writer.tokens[:, 3:]], 1
    )
    assert write_reports(writer, Batches(range(3)), tokenizer, beam_size=1).texts == REPORTS[:3]


def test_cider_is_that_of_the_reports_with_the_word_weights_of_the_whole_split(tokenizer):
    texts = [*REPORTS[:3], "the lungs are large again", "", "the left effusion is large", *REPORTS[:6]]
    writer, split, rows = Writer(tokenizer, texts), np.arange(10), np.array([0, 1, 3, 5, 7])
    found = WrittenCider(Batches(rows), tokenizer, REPORTS, split, beam_size=1)(writer)
    frequencies = document_frequencies([[REPORTS[row]] for row in split if REPORTS[row]])
    expected = cider_d([texts[row] for row in rows], [[REPORTS[row]] for row in rows], frequencies)
    assert found == {"cider": pytest.approx(expected, rel=1e-12)} and 0 < expected < 10
    perfect = WrittenCider(Batches(rows), tokenizer, REPORTS, split, beam_size=1)(Writer(tokenizer, REPORTS))
    assert perfect["cider"] == pytest.approx(10)


def test_the_choice_is_seeded_and_of_studies_with_a_report():
    rows = np.arange(12)
    few = choose_written(REPORTS, rows, GenerationConfig(num_studies=4), seed=1)
    assert few.tolist() == choose_written(REPORTS, rows, GenerationConfig(num_studies=4), seed=1).tolist()
    assert few.tolist() != choose_written(REPORTS, rows, GenerationConfig(num_studies=4), seed=2).tolist()
    assert len(few) == 4 and all(REPORTS[row] for row in few) and few.tolist() == sorted(few)
    everything = choose_written(REPORTS, rows, GenerationConfig(num_studies=0), seed=1)
    assert everything.tolist() == [row for row in range(12) if row % 4 != 2]
    assert len(choose_written(REPORTS, rows, GenerationConfig(), seed=1)) == 9
    parts = [choose_written(REPORTS, rows, GenerationConfig(num_studies=4), 1, (k, 3)) for k in range(3)]
    assert sorted(np.concatenate(parts)) == few.tolist() and [len(part) for part in parts] == [2, 1, 1]
    with pytest.raises(ValueError, match="0 validation studies have a report"):
        choose_written(REPORTS, np.array([2, 6]), GenerationConfig(), seed=1)
    for part in range(3):
        with pytest.raises(ValueError, match="nothing to write for each of 3 processes"):
            choose_written(REPORTS, rows, GenerationConfig(num_studies=2), 1, (part, 3))


def test_settings_and_objectives_that_do_not_fit_are_refused(tokenizer):
    with pytest.raises(ValueError, match="num_studies is -1"):
        GenerationConfig(num_studies=-1)
    with pytest.raises(ValueError, match="beam_size 0; give at least 0 and 1"):
        GenerationConfig(beam_size=0)
    with pytest.raises(ValueError, match="Objective linear has no decoder"):
        check_can_write(torch.nn.Linear(1, 1), "Objective linear")
    with pytest.raises(ValueError, match="at least one hypothesis, not 0"):
        write_reports(Writer(tokenizer, REPORTS), Batches(range(3)), tokenizer, beam_size=0)


def test_validations_are_joined():
    joined = all_of(lambda objective: {"loss": 1.0}, lambda objective: {"cider": 2.0})
    assert joined(torch.nn.Identity()) == {"loss": 1.0, "cider": 2.0}
