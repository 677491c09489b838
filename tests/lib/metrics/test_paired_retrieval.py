import itertools

import numpy as np
import pytest

from lib.metrics import similarity as blocks
from lib.metrics.paired_retrieval import paired_retrieval
from lib.metrics.similarity import CosineSimilarity


def naive(scores, groups, k):
    """Go through all orders that the scores allow: share with a hit in the first k, mean place of it."""
    hits, ranks = [], []
    for query, row in enumerate(scores):
        places = []
        for order in itertools.permutations(range(len(row))):
            if all(row[a] >= row[b] for a, b in itertools.pairwise(order)):
                is_hit = [groups[column] == groups[query] for column in order]
                places.append(1 + is_hit.index(True))
        hits.append(np.mean([place <= k for place in places]))
        ranks.append(np.mean(places))
    return hits, ranks


@pytest.mark.parametrize("num_pairs", [1, 2, 4, 5])
@pytest.mark.parametrize("levels", [1, 2, 3, 1000])
@pytest.mark.parametrize("num_texts", [1, 2, 100])
def test_both_ways_equal_the_mean_over_all_orders_of_ties(num_pairs, levels, num_texts):
    generator = np.random.default_rng(num_pairs + levels + num_texts)
    scores = generator.integers(levels, size=(num_pairs, num_pairs)) / levels
    groups = generator.integers(num_texts, size=num_pairs)
    ks = tuple(range(1, num_pairs + 1))
    both = paired_retrieval(scores, duplicates=[f"text {group}" for group in groups], ks=ks)
    for result, matrix in zip(both, (scores, scores.T), strict=True):
        for column, k in enumerate(ks):
            hits, ranks = naive(matrix, groups, k)
            assert result.hits[:, column] == pytest.approx(hits, abs=1e-12)
            assert result.recall[column] == pytest.approx(np.mean(hits))
        assert result.ranks == pytest.approx(ranks)
        assert result.median_rank == pytest.approx(np.median(ranks))
        for column, k in enumerate(ks):  # chance is what a constant score gives
            assert result.chance[column] == pytest.approx(np.mean(naive(0 * scores, groups, k)[0]))


def test_a_large_constant_score_gives_chance():
    report_to_study = paired_retrieval(np.zeros((3000, 3000)), ks=(1, 5, 10))[1]
    assert report_to_study.recall == pytest.approx(np.array([1, 5, 10]) / 3000)
    assert report_to_study.chance == pytest.approx(report_to_study.recall)
    assert report_to_study.median_rank == 1500.5


def test_duplicates_are_hits_in_both_directions():
    scores = np.array([[0.1, 0.9, 0.0], [0.8, 0.2, 0.0], [0.0, 0.3, 0.7]])
    strict = paired_retrieval(scores, ks=(1,))
    assert [result.recall.tolist() for result in strict] == [[1 / 3], [1 / 3]]
    fair = paired_retrieval(scores, duplicates=["normal", "normal", "effusion"], ks=(1,))
    assert [result.recall.tolist() for result in fair] == [[1.0], [1.0]]
    assert fair[0].chance == pytest.approx([(2 / 3 + 2 / 3 + 1 / 3) / 3])


def test_embeddings_in_blocks_give_what_the_matrix_gives(monkeypatch):
    generator = np.random.default_rng(0)
    images, texts = generator.standard_normal((2, 60, 16))
    texts[40:] = texts[0]  # the same report, the same embedding
    names = [str(min(row, 40)) if row else "40" for row in range(60)]
    similarity = CosineSimilarity(images, texts)
    whole = paired_retrieval(similarity[0:60], duplicates=names)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 8 * 60 * 7)
    for lazy, result in zip(paired_retrieval(similarity, duplicates=names), whole, strict=True):
        np.testing.assert_allclose(lazy.hits, result.hits, atol=1e-12)
        np.testing.assert_allclose(lazy.ranks, result.ranks)
    assert (whole[0].hits[40:] == whole[0].hits[40:].round()).all()  # 21 tied reports, all of them hits


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((3, 4), {}, "3 studies and 4 reports are no pairs"),
        ((3, 3), {"ks": (5,)}, "R@5 of 3 pairs"),
        ((3, 3), {"duplicates": ["a", "b"]}, "2 entries in duplicates for 3 pairs"),
    ],
)
def test_bad_input_is_named(shape, options, message):
    with pytest.raises(ValueError, match=message):
        paired_retrieval(np.zeros(shape), **({"ks": (1,)} | options))
