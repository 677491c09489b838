"""Word metrics of generated reports against the COCO caption evaluation, whose numbers they claim to be."""

import csv
import importlib.util
import math

import numpy as np
import pytest

from lib.metrics.generation import (
    bleu,
    bleu_per_sample,
    cider_d,
    cider_d_per_sample,
    document_frequencies,
    longest_common_subsequence,
    rouge_l,
    rouge_l_per_sample,
    words,
)


def coco(candidates, references):
    """Score by pycocoevalcap: corpus values, then values per sample, of BLEU, ROUGE-L and CIDEr-D."""
    if importlib.util.find_spec("pycocoevalcap") is None:
        pytest.skip("no pycocoevalcap here; make env fetches it")
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    truth = {place: [" ".join(one) for one in some] for place, some in enumerate(references)}
    given = {place: [" ".join(one)] for place, one in enumerate(candidates)}
    of_bleu, each_bleu = Bleu().compute_score(truth, given, verbose=0)
    of_rouge, each_rouge = Rouge().compute_score(truth, given)
    of_cider, each_cider = Cider().compute_score(truth, given)
    return (of_bleu, of_rouge, of_cider), (np.array(each_bleu).T, each_rouge, each_cider)


def assert_same_as_coco(candidates, references):
    corpus, each = coco(candidates, references)
    for value, theirs in zip((bleu, rouge_l, cider_d), corpus, strict=True):
        assert value(candidates, references) == pytest.approx(theirs, abs=1e-12)
    for values, theirs in zip((bleu_per_sample, rouge_l_per_sample, cider_d_per_sample), each, strict=True):
        np.testing.assert_allclose(values(candidates, references), theirs, atol=1e-12)


def random_texts(generator, num, longest, vocabulary):
    return [
        [f"w{word}" for word in generator.integers(vocabulary, size=generator.integers(1, longest + 1))]
        for _ in range(num)
    ]


@pytest.mark.parametrize("num_studies", [2, 5, 40])
@pytest.mark.parametrize("num_references", [1, 3])
@pytest.mark.parametrize(("longest", "vocabulary"), [(3, 3), (12, 5), (60, 40)])
def test_random_texts_score_as_in_coco(num_studies, num_references, longest, vocabulary):
    generator = np.random.default_rng(num_studies + num_references + longest)
    candidates = random_texts(generator, num_studies, longest, vocabulary)
    references = [random_texts(generator, num_references, longest, vocabulary) for _ in candidates]
    candidates[0] = references[0][0]
    candidates[1] = []
    assert_same_as_coco(candidates, references)


@pytest.fixture(scope="module")
def openi_texts(shared):
    with open(shared / "data" / "openi-iu" / "indiana_reports.csv", newline="", encoding="utf-8") as table:
        texts = [f"{row['findings']} {row['impression']}" for row in csv.DictReader(table)]
    return [text for text in texts if words(text)][:400]


def test_real_reports_score_as_in_coco(openi_texts):
    generator = np.random.default_rng(0)
    candidates = [openi_texts[row] for row in generator.permutation(len(openi_texts))]
    assert_same_as_coco([words(text) for text in candidates], [[words(text)] for text in openi_texts])
    as_texts = [metric(candidates, openi_texts) for metric in (rouge_l, cider_d)]
    as_words = [
        metric([words(text) for text in candidates], [[words(text)] for text in openi_texts])
        for metric in (rouge_l, cider_d)
    ]
    assert as_texts == as_words


def test_the_same_text_scores_highest(openi_texts):
    texts = openi_texts[:50]
    assert bleu(texts, texts) == pytest.approx((1, 1, 1, 1), abs=1e-9)
    assert rouge_l(texts, texts) == 1.0
    long = [len(words(text)) >= 4 for text in texts]
    assert cider_d_per_sample(texts, texts)[long] == pytest.approx(10.0)
    assert cider_d([text[:40] for text in texts], texts) < 5


def test_values_by_hand():
    candidates, references = ["No effusion seen", "heart"], ["No pleural effusion, seen.", "big heart"]
    # 4 of 4 words; 1 of 2 pairs ("effusion seen"); 4 words against 6.
    penalty = math.exp(1 - 6 / 4)
    first, second, third, _ = bleu(candidates, references)
    assert first == pytest.approx(penalty, abs=1e-6)
    assert second == pytest.approx(penalty * math.sqrt(1 / 2), abs=1e-6)
    assert third < 1e-3
    # LCS 3 of 3 and 3 of 4; then 1 of 1 and 1 of 2: (1 + 1.44) P R / (R + 1.44 P)
    assert rouge_l_per_sample(candidates, references) == pytest.approx(
        [2.44 * 0.75 / (0.75 + 1.44), 2.44 * 0.5 / (0.5 + 1.44)]
    )


def test_cider_by_hand():
    # Two studies, every word in one of them: all weights log 2. Unigrams share 1 of 2 words of each side:
    # cosine 1/2; bigrams share none. Lengths differ by none.
    assert cider_d_per_sample(["a b", "c d"], ["a x", "c y"]) == pytest.approx([10 * 0.5 / 4] * 2)
    # A word of every report weighs nothing.
    assert cider_d_per_sample(["a b", "a d"], ["a x", "a y"]) == pytest.approx([0, 0])
    # The penalty counts the difference in length, here 6 words: exp(-36 / 72).
    longer = cider_d_per_sample(["a b c d e f g h", "q"], ["a b", "q r"])[0]
    cosines = [2 / math.sqrt(8 * 2), 1 / math.sqrt(7), 0, 0]
    assert longer == pytest.approx(10 * np.mean(cosines) * math.exp(-36 / 72))


def test_brevity_penalty_takes_the_closest_reference_and_of_two_the_shorter():
    candidate = ["a b c d"]
    assert bleu(candidate, [["a b c d e", "a b c d e f g h"]])[0] == pytest.approx(math.exp(1 - 5 / 4))
    assert bleu(candidate, [["a b c d e", "a b c"]])[0] == pytest.approx(1.0)
    assert bleu(candidate, [["a b c d e", "a b c d e f g h"]]) == bleu(candidate, [["a b c d e"]])


def test_counts_are_clipped():
    assert bleu(["the the the the"], ["the cat the mat"])[0] == pytest.approx(0.5)


def test_an_empty_candidate_scores_zero_and_spoils_no_other():
    candidates, references = ["", "clear lungs today ok"], ["clear lungs", "clear lungs today ok"]
    assert bleu_per_sample(candidates, references)[0].tolist() == [0, 0, 0, 0]
    assert rouge_l_per_sample(candidates, references).tolist() == [0, 1]
    assert cider_d_per_sample(candidates, references)[0] == 0
    assert bleu(["", ""], references) == (0, 0, 0, 0)


def test_document_frequencies_of_a_corpus_score_a_part_of_it_as_the_whole_does(openi_texts):
    candidates = list(reversed(openi_texts))
    frequencies = document_frequencies(openi_texts)
    part = cider_d_per_sample(candidates[:7], openi_texts[:7], frequencies)
    np.testing.assert_array_equal(part, cider_d_per_sample(candidates, openi_texts)[:7])
    assert cider_d(candidates[:1], openi_texts[:1]) == 0  # a corpus of one study


@pytest.mark.parametrize("seed", range(5))
def test_longest_common_subsequence_equals_the_table(seed):
    generator = np.random.default_rng(seed)
    first, second = generator.integers(4, size=30).tolist(), generator.integers(4, size=70).tolist()
    table = np.zeros((31, 71), int)
    for i, j in np.ndindex(30, 70):
        table[i + 1, j + 1] = (
            table[i, j] + 1 if first[i] == second[j] else max(table[i, j + 1], table[i + 1, j])
        )
    assert longest_common_subsequence(first, second) == table[-1, -1]
    assert longest_common_subsequence([], second) == longest_common_subsequence(first, []) == 0


def test_words_are_lower_case_without_punctuation():
    text = "No PLEURAL effusion; 1.9 cm x-ray, XXXX (see_above)."
    expected = ["no", "pleural", "effusion", "1", "9", "cm", "x", "ray", "xxxx", "see", "above"]
    assert words(text) == expected == words("no pleural effusion ; 1 . 9 cm x - ray , xxxx ( see_above ) .")
    assert words(" .,") == []


@pytest.mark.parametrize(
    ("candidates", "references", "message"),
    [
        (["a"], ["a", "b"], "1 candidates for the references of 2 studies"),
        ([], [], "no candidates"),
        (["a", "b"], ["a", ""], "Study 1 has no reference, or one without words"),
        (["a"], [[]], "Study 0 has no reference"),
        (["a"], [["a", "..."]], "Study 0 has no reference, or one without words"),
        ("a", ["a"], "an entry per study"),
        ([3], ["a"], "Candidate 0 is 3"),
        ([["a b"]], ["a"], "without blanks"),
        ([None], ["a"], "Candidate 0 is None"),
    ],
)
@pytest.mark.parametrize("metric", [bleu, rouge_l, cider_d])
def test_bad_input_is_named(metric, candidates, references, message):
    with pytest.raises(ValueError, match=message):
        metric(candidates, references)
