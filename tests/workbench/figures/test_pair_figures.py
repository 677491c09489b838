"""Tables of pairs and of what a search found, and the matrices of a batch."""

import numpy as np
import pandas as pd
import pytest

from workbench.batch_similarity import BatchSimilarity
from workbench.figures.pair_training import pair_table, similarity_matrices
from workbench.figures.retrieved import EXCERPT, retrieved_table, score_histogram
from workbench.pair_examples import Example, Pair


def pair(text, written=None, mirrored=False):
    picture = np.full((8, 8), 90, np.uint8)
    return Pair(picture=picture, text=text, written=written or text, mirrored=mirrored, view_row=0)


def test_pairs_show_picture_and_text_and_what_was_written():
    plain = Example("one & two", np.zeros((9, 9), np.uint8), [pair("Left <effusion>."), pair("Clear.")])
    mirrored = Example("three", np.zeros((9, 9), np.uint8), [pair("Right.", "Left.", True)])
    table = pair_table([plain, mirrored], title="Pairs", note="tiny")
    assert table.count("<img") == 5 and "one &amp; two" in table
    assert "&lt;effusion&gt;" in table and "<effusion>" not in table
    first, second = table.split("<tr>")[2:]
    assert "mirrored" not in first and "written" not in first
    assert "mirrored" in second and "written: Left." in second and second.count("<td") == 3


@pytest.fixture
def batch():
    values = np.array([[0.9, 0.1], [0.4, 0.3]])
    return BatchSimilarity(
        study_ids=["a", "b"],
        labels=["Edema", "<none>"],
        texts=["Wet.", "Dry."],
        by_weights={"initial": values * 0, "trained": values},
        ranks={"initial": 1.5, "trained": 1.25},
        num_texts=64,
    )


def test_the_matrices_are_on_one_scale_and_say_at_which_rank(batch):
    figure = similarity_matrices(batch, note="tiny")
    before, after = figure.data
    assert before.coloraxis == after.coloraxis == "coloraxis"
    np.testing.assert_array_equal(after.z, batch.by_weights["trained"])
    assert after.text[0][1] == "text: Wet.<br>picture: b: &lt;none&gt;"
    assert [one.text for one in figure.layout.annotations] == [
        "before training: own picture at rank 1.5 of 2",
        "after training: own picture at rank 1.2 of 2",
    ]
    assert "64 texts, by chance 1.5" in figure.layout.title.text


def test_what_was_found_stands_in_order_with_shared_labels_bold():
    found = pd.DataFrame(
        {
            "place": ["<b>1</b>", "<b>2</b>"],
            "study_id": ["s<1>", "s2"],
            "patient_id": ["p1", "p2"],
            "labels": [["Edema", "Mass"], []],
            "report": ["On the left. " * 60, ""],
        }
    )
    table = retrieved_table(found, np.zeros((2, 300, 300), np.uint8), title="Found", shared=["Mass"])
    first, second = table.split("<tr>")[2:]
    assert "<b>1</b>" in first and "s&lt;1&gt;" in first
    assert "Edema" in first and "<b>Edema" not in first and "<b>Mass</b>" in first
    assert first.count("<u>left</u>") == EXCERPT // len("On the left. ") and "..." in first
    assert "none positive" in second and "no report" in second
    assert len(table) < 12_000  # pictures are made small before they travel


def test_the_histogram_counts_every_score_and_marks_the_best():
    scores = np.sort(np.random.default_rng(0).normal(size=500))[::-1]
    figure = score_histogram(scores, scores[:3], name="cosine", title="Scores", note="tiny")
    bars, best = figure.data
    assert sum(bars.y) == 500 and len(bars.x) == len(bars.y)
    assert list(best.x) == list(scores[:3]) and best.name == "the best 3"
    assert figure.layout.xaxis.title.text == "cosine"
