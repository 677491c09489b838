"""How close generated reports come to the true ones in words: BLEU-1..4, ROUGE-L, CIDEr-D.

The numbers are those of the COCO caption evaluation (package `pycocoevalcap`), to which the tests compare
them, constants against division by zero included. Only its tokeniser, a Java program, is left out: a text
is cut into words by `words`, or comes as a list of words.

Every function takes the same two arguments. `candidates`: one report per study, a text or a list of words;
it may be empty and then scores 0. `references`: per study one text or a list of references, each a text or a
list of words; so the words of a single reference are `[["no", "effusion"]]`.

Letters: `N` studies, `n` words in an n-gram.
"""

import collections
import dataclasses
import math
import re
from collections.abc import Sequence

import numpy as np

Text = str | Sequence[str]
References = Sequence[Text | Sequence[Text]]

MAX_ORDER = 4
BETA = 1.2
"""Weight of recall against precision in ROUGE-L."""
SIGMA = 6.0
"""Width of the length penalty of CIDEr-D, in words."""
TINY, SMALL = 1e-15, 1e-9
"""Added above and below the fractions of BLEU, so that a text too short for an n-gram has a score."""

_WORD = re.compile(r"[^\W_]+")


@dataclasses.dataclass(frozen=True)
class DocumentFrequencies:
    """In how many studies of a corpus each n-gram stands in a reference.

    Attributes:
        num_studies: of the corpus.
        counts: n-gram -> studies.
    """

    num_studies: int
    counts: collections.Counter

    def weight(self, ngram: tuple[str, ...]) -> float:
        """Return the log of the inverse share of studies that have the n-gram; unknown ones count as one."""
        return math.log(self.num_studies) - math.log(max(1, self.counts[ngram]))


def words(text: str) -> list[str]:
    """Cut a text into words: lower case, letters and digits stay, everything else separates and is dropped.

    So `x-ray` is two words and `1.9` as well, however a decoder puts blanks around the punctuation.
    """
    return _WORD.findall(text.lower())


def bleu(candidates: Sequence[Text], references: References) -> tuple[float, float, float, float]:
    """Compute corpus-level BLEU-1 to BLEU-4: n-gram counts and lengths are summed over studies first.

    Counts are clipped at the reference that has most of an n-gram. The brevity penalty takes the reference
    closest in length, of two equally close ones the shorter.
    """
    counts = bleu_counts(candidates, references).sum(axis=0, keepdims=True)
    return tuple(bleu_of_counts(counts)[0].tolist())


def bleu_per_sample(candidates: Sequence[Text], references: References) -> np.ndarray:
    """Compute BLEU-1 to BLEU-4 of each study by itself, float64 `[N, 4]`; their mean is not corpus BLEU."""
    return bleu_of_counts(bleu_counts(candidates, references))


def bleu_counts(candidates: Sequence[Text], references: References) -> np.ndarray:
    """Count what corpus BLEU sums over studies, float64 `[N, 10]`.

    Matched n-grams (4), n-grams (4), length, length of the reference.
    """
    rows = []
    for candidate, truths in _as_words(candidates, references):
        most = collections.Counter()
        for truth in truths:
            most |= _ngrams(truth)
        matched = [0] * MAX_ORDER
        for ngram, count in (_ngrams(candidate) & most).items():
            matched[len(ngram) - 1] += count
        length = len(candidate)
        closest = min((abs(len(truth) - length), len(truth)) for truth in truths)[1]
        rows.append([*matched, *(max(0, length - order) for order in range(MAX_ORDER)), length, closest])
    return np.array(rows, np.float64)


def bleu_of_counts(counts: np.ndarray) -> np.ndarray:
    """Compute BLEU-1 to BLEU-4 `[rows, 4]` of rows of counts, each of a study or summed over many.

    The geometric mean of the precisions up to each n, times the brevity penalty.
    """
    matched, possible, (length, closest) = counts[:, :4], counts[:, 4:8], counts[:, 8:].T
    precisions = np.cumprod((matched + TINY) / (possible + SMALL), axis=1)
    ratio = (length + TINY) / (closest + SMALL)
    penalty = np.where(ratio < 1, np.exp(1 - 1 / ratio), 1)
    return precisions ** (1 / np.arange(1, MAX_ORDER + 1)) * penalty[:, None]


def rouge_l(candidates: Sequence[Text], references: References) -> float:
    """Compute the mean ROUGE-L over studies."""
    return float(rouge_l_per_sample(candidates, references).mean())


def rouge_l_per_sample(candidates: Sequence[Text], references: References) -> np.ndarray:
    """Compute ROUGE-L of each study, float64 `[N]`.

    The F-measure (beta 1.2) of the longest common subsequence; of several references the best precision and
    the best recall count, even where they come from two.
    """
    scores = np.zeros(len(candidates))
    for place, (candidate, truths) in enumerate(_as_words(candidates, references)):
        common = [longest_common_subsequence(candidate, truth) for truth in truths]
        if max(common) == 0:
            continue
        precision = max(common) / len(candidate)
        recall = max(count / len(truth) for count, truth in zip(common, truths, strict=True))
        scores[place] = (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)
    return scores


def cider_d(
    candidates: Sequence[Text], references: References, frequencies: DocumentFrequencies | None = None
) -> float:
    """Compute the mean CIDEr-D over studies, 0 to 10."""
    return float(cider_d_per_sample(candidates, references, frequencies).mean())


def cider_d_per_sample(
    candidates: Sequence[Text], references: References, frequencies: DocumentFrequencies | None = None
) -> np.ndarray:
    """Compute CIDEr-D of each study, float64 `[N]`.

    The clipped cosine of tf-idf weighted n-grams, times a Gaussian penalty on the difference in length, mean
    over n = 1..4 and over references, times 10. No stemming, as in the COCO evaluation.

    Args:
        candidates: see the top of the module.
        references: see the top of the module.
        frequencies: None takes those of `references`, which is the published metric and 0 for a single study.
            Scores of a training batch need those of the whole training corpus.
    """
    samples = _as_words(candidates, references)
    if frequencies is None:
        frequencies = _count_documents(truths for _, truths in samples)
    scores = np.zeros(len(samples))
    for place, (candidate, truths) in enumerate(samples):
        vector = _Weighted(candidate, frequencies)
        similarities = [vector.similarity(_Weighted(truth, frequencies)) for truth in truths]
        scores[place] = 10 * sum(similarities) / len(similarities)
    return scores


def document_frequencies(references: References) -> DocumentFrequencies:
    """Count the n-grams of a corpus once, for `cider_d` of parts of it."""
    return _count_documents(truths for _, truths in _as_words([[]] * len(references), references))


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest sequence of words that stands in both, in order, with gaps or not.

    Bit-parallel (Hyyro 2004): a column of the usual table is one integer whose zero bits are its steps.
    """
    places: dict[str, int] = collections.defaultdict(int)
    for place, word in enumerate(first):
        places[word] |= 1 << place
    everything = (1 << len(first)) - 1
    column = everything
    for word in second:
        matches = column & places.get(word, 0)
        column = ((column + matches) | (column - matches)) & everything
    return len(first) - column.bit_count()


class _Weighted:
    """The n-grams of a text, weighted by how often they stand in it and how few studies have them."""

    def __init__(self, text: list[str], frequencies: DocumentFrequencies):
        self.vectors: list[dict] = [{} for _ in range(MAX_ORDER)]
        for ngram, count in _ngrams(text).items():
            self.vectors[len(ngram) - 1][ngram] = count * frequencies.weight(ngram)
        self.norms = [math.sqrt(sum(weight**2 for weight in vector.values())) for vector in self.vectors]
        self.length = len(text)

    def similarity(self, truth: "_Weighted") -> float:
        """Mean over n of the clipped cosine, with the length penalty."""
        total = 0.0
        for vector, true, norm, true_norm in zip(
            self.vectors, truth.vectors, self.norms, truth.norms, strict=True
        ):
            if norm and true_norm:
                shared = vector.keys() & true.keys()
                dot = math.fsum(min(vector[ngram], true[ngram]) * true[ngram] for ngram in shared)
                total += dot / (norm * true_norm)
        return total / MAX_ORDER * math.exp(-((self.length - truth.length) ** 2) / (2 * SIGMA**2))


def _as_words(candidates: Sequence[Text], references: References) -> list[tuple[list[str], list[list[str]]]]:
    """Return the words of each candidate and of each of its references."""
    if isinstance(candidates, str) or isinstance(references, str):
        raise ValueError("Candidates and references are lists with an entry per study, not one text.")
    if len(candidates) != len(references):
        raise ValueError(f"{len(candidates)} candidates for the references of {len(references)} studies.")
    if not len(candidates):
        raise ValueError("There are no candidates to score.")
    samples = []
    for place, (candidate, truths) in enumerate(zip(candidates, references, strict=True)):
        truths = [truths] if isinstance(truths, str) else truths
        cut = [_cut(truth, f"A reference of study {place}") for truth in truths]
        if not cut or not all(cut):
            raise ValueError(
                f"Study {place} has no reference, or one without words: {list(truths)!r}. Leave out studies "
                "without a report."
            )
        samples.append((_cut(candidate, f"Candidate {place}"), cut))
    return samples


def _cut(text: Text, what: str) -> list[str]:
    if isinstance(text, str):
        return words(text)
    if isinstance(text, Sequence) and all(isinstance(word, str) and word.split() == [word] for word in text):
        return list(text)
    raise ValueError(f"{what} is {text!r}; a text, or a list of words without blanks, is needed.")


def _ngrams(text: list[str]) -> collections.Counter:
    """Count the n-grams of a text, n = 1..4."""
    counts = collections.Counter()
    for order in range(1, MAX_ORDER + 1):
        counts.update(zip(*(text[start:] for start in range(order)), strict=False))
    return counts


def _count_documents(truths_of_studies) -> DocumentFrequencies:
    counts, num_studies = collections.Counter(), 0
    for truths in truths_of_studies:
        counts.update(set().union(*map(_ngrams, truths)))
        num_studies += 1
    return DocumentFrequencies(num_studies, counts)
