import itertools
import tracemalloc

import numpy as np
import pytest

from lib.metrics import similarity as blocks
from lib.metrics.bootstrap import draw_patients
from lib.metrics.retrieval import CategoryRetrieval, precision_at
from lib.metrics.similarity import CosineSimilarity


def rankings(scores):
    """Return every order of the candidates that the scores allow."""
    orders = itertools.permutations(range(len(scores)))
    return [order for order in orders if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))]


def naive_precision(scores, relevance, excluded, k):
    """Go through all orders of tied candidates and average the precision."""
    values = []
    for query in range(len(scores)):
        kept = [column for column in range(scores.shape[1]) if not excluded[query, column]]
        orders = rankings([scores[query, column] for column in kept])
        values.append(
            np.mean([sum(relevance[query, kept[place]] for place in order[:k]) / k for order in orders])
        )
    return values


def random_case(seed, num_queries, num_candidates, levels, share_excluded):
    generator = np.random.default_rng(seed)
    scores = generator.integers(levels, size=(num_queries, num_candidates)) / levels
    relevance = generator.random(scores.shape) < 0.4
    excluded = generator.random(scores.shape) < share_excluded
    excluded[:, :3] = False
    return scores, relevance, excluded


@pytest.mark.parametrize("num_candidates", [3, 5, 6])
@pytest.mark.parametrize("levels", [1, 2, 3, 1000])
@pytest.mark.parametrize("share_excluded", [0, 0.4])
def test_precision_equals_the_mean_over_all_orders_of_ties(num_candidates, levels, share_excluded):
    scores, relevance, excluded = random_case(levels, 4, num_candidates, levels, share_excluded)
    result = precision_at(scores, relevance, excluded=excluded, ks=(3, 1, 2))
    for column, k in enumerate((3, 1, 2)):
        naive = naive_precision(scores, relevance, excluded, k)
        assert result.precision[:, column] == pytest.approx(naive, abs=1e-12)
    kept = [relevance[query][~excluded[query]] for query in range(4)]
    assert result.chance == pytest.approx([row.mean() for row in kept])
    assert result.num_excluded.tolist() == excluded.sum(1).tolist()
    assert result.mean_chance == pytest.approx(np.mean([row.mean() for row in kept]))


def test_without_ties_it_is_the_plain_share_of_the_first_k():
    generator = np.random.default_rng(0)
    scores, relevance = generator.standard_normal((30, 400)), generator.random((30, 400)) < 0.125
    result = precision_at(scores, relevance)
    assert result.ks == (5, 10, 50, 100)
    ordered = np.take_along_axis(relevance, np.argsort(-scores, axis=1), axis=1)
    for column, k in enumerate(result.ks):
        assert result.precision[:, column] == pytest.approx(ordered[:, :k].mean(axis=1))


def test_a_constant_score_gives_chance_and_a_perfect_one_gives_one():
    classes = np.arange(8).repeat(20)
    relevance = np.arange(8)[:, None] == classes
    constant = precision_at(np.zeros((8, 160)), relevance, ks=(5, 10, 50))
    assert constant.precision == pytest.approx(np.full((8, 3), 0.125))
    perfect = precision_at(relevance.astype(float), relevance, ks=(5, 20, 40))
    assert perfect.mean == pytest.approx([1, 1, 0.5])
    assert perfect.chance == pytest.approx(np.full(8, 0.125))


def test_excluded_candidates_count_nowhere():
    scores, relevance = np.array([[0.9, 0.8, 0.7, 0.6]]), np.array([[True, False, True, False]])
    with_all = precision_at(scores, relevance, ks=(1, 2))
    assert with_all.precision.tolist() == [[1.0, 0.5]] and with_all.chance == [0.5]
    excluded = np.array([[True, False, False, False]])
    without_first = precision_at(scores, relevance, excluded=excluded, ks=(1, 2))
    assert without_first.precision.tolist() == [[0.0, 0.5]]
    assert without_first.chance == pytest.approx([1 / 3]) and without_first.num_excluded.tolist() == [1]


def test_blocks_do_not_change_the_values(monkeypatch):
    scores, relevance, excluded = random_case(3, 50, 30, 6, 0.3)
    whole = precision_at(scores, relevance, excluded=excluded, ks=(1, 3))
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 8 * 30 * 7)
    assert len(blocks.row_blocks(scores.shape)) == 8
    in_blocks = precision_at(scores, relevance, excluded=excluded, ks=(1, 3))
    assert (whole.precision == in_blocks.precision).all() and (whole.chance == in_blocks.chance).all()


def test_cosines_are_those_of_the_formula_and_equal_embeddings_tie():
    generator = np.random.default_rng(1)
    queries = generator.standard_normal((7, 33)).astype(np.float32)
    candidates = generator.standard_normal((50, 33)).astype(np.float32)
    candidates[[13, 31, 49]] = candidates[2]
    similarity = CosineSimilarity(queries, 4 * candidates)
    assert similarity.shape == (7, 50) and similarity.T.shape == (50, 7)
    expected = [
        [q @ c / (np.linalg.norm(q) * np.linalg.norm(c)) for c in candidates.astype(float)]
        for q in queries.astype(float)
    ]
    np.testing.assert_allclose(similarity[0:7], expected, atol=1e-9)
    np.testing.assert_allclose(similarity.T[0:50], similarity[0:7].T, atol=2e-9)
    assert (similarity[0:7][:, [13, 31, 49]] == similarity[0:7][:, [2]]).all()
    relevance = generator.random((7, 50)) < 0.3
    lazy = precision_at(similarity, relevance, ks=(5,))
    assert (lazy.precision == precision_at(similarity[0:7], relevance, ks=(5,)).precision).all()


def test_ten_thousand_by_ten_thousand_stay_below_a_gigabyte():
    generator = np.random.default_rng(0)
    embeddings = generator.standard_normal((10_000, 8)).astype(np.float32)
    classes = generator.integers(8, size=10_000)
    tracemalloc.start()
    try:
        relevance = classes[:, None] == classes
        similarity, itself = CosineSimilarity(embeddings, embeddings), np.eye(10_000, dtype=bool)
        result = precision_at(similarity, relevance, excluded=itself)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1e9
    assert result.mean == pytest.approx([0.125] * 4, abs=0.01)


def test_means_by_class_keep_the_order_of_the_classes():
    precision = np.array([[1.0, 0.5], [0.0, 0.5], [0.2, 0.4]])
    result = CategoryRetrieval(ks=(1, 2), precision=precision, chance=np.ones(3), num_excluded=np.zeros(3))
    by_class = result.by_class(["Edema", "Atelectasis", "Edema"])
    assert list(by_class) == ["Edema", "Atelectasis"]
    assert by_class["Edema"] == pytest.approx([0.6, 0.45]) and by_class["Atelectasis"].tolist() == [0, 0.5]
    with pytest.raises(ValueError, match="2 classes for 3 queries"):
        result.by_class(["a", "b"])


def of_precision(precision):
    num = len(precision)
    return CategoryRetrieval(ks=(5, 10), precision=precision, chance=np.ones(num), num_excluded=np.zeros(num))


def test_interval_equals_copying_the_queries_of_the_drawn_clusters():
    generator = np.random.default_rng(0)
    precision, clusters = generator.random((40, 2)), generator.integers(12, size=40)
    low, high = of_precision(precision).interval(clusters, replicates=300, seed=4)
    names, means = np.unique(clusters), []
    for counts in draw_patients(len(names), 300, 4):
        for column in counts.T.astype(int):
            rows = [
                row
                for name, count in zip(names, column, strict=True)
                for row in np.tile(np.flatnonzero(clusters == name), count)
            ]
            means.append(precision[rows].mean(axis=0))
    np.testing.assert_allclose([low, high], np.quantile(means, [0.025, 0.975], axis=0), atol=1e-6)


def test_interval_of_queries_is_that_of_the_mean_and_clusters_widen_it():
    generator = np.random.default_rng(2)
    precision = generator.random((80, 2))
    result = of_precision(precision)
    low, high = result.interval()
    half = 1.96 * precision.std(axis=0) / np.sqrt(80)
    assert low == pytest.approx(result.mean - half, abs=0.01)
    assert high == pytest.approx(result.mean + half, abs=0.01)
    assert (result.interval(seed=1)[0] == result.interval(seed=1)[0]).all()
    assert (result.interval(seed=1)[0] != low).any()
    narrow = result.interval(confidence=0.5)
    assert (narrow[0] > low).all() and (narrow[1] < high).all()
    copied = of_precision(precision.repeat(4, axis=0))
    by_cluster = copied.interval(np.arange(80).repeat(4))
    assert by_cluster[0] == pytest.approx(low) and by_cluster[1] == pytest.approx(high)
    by_query = copied.interval()
    assert ((by_query[1] - by_query[0]) < 0.7 * (high - low)).all()
    with pytest.raises(ValueError, match="3 clusters for 80 queries"):
        result.interval([1, 2, 3])


@pytest.mark.parametrize(
    ("scores", "relevance", "options", "message"),
    [
        (np.zeros((2, 4)), np.zeros((2, 3), bool), {}, r"relevance must be bool of shape \(2, 4\)"),
        (np.zeros((2, 4)), np.zeros((2, 4), int), {}, "found int64"),
        (np.zeros((2, 4)), np.zeros((2, 4), bool), {"excluded": np.zeros((4, 2), bool)}, "excluded must be"),
        (np.zeros((2, 4)), np.zeros((2, 4), bool), {"ks": (5,)}, "Query 0 has 4 candidates"),
        (np.zeros((2, 4)), np.zeros((2, 4), bool), {"ks": (0,)}, "k = 0 is not"),
        (np.zeros((2, 4)), np.zeros((2, 4), bool), {"ks": (1.5,)}, "k = 1.5 is not"),
        (np.zeros((2, 4)), np.zeros((2, 4), bool), {"ks": ()}, "At least one k"),
        (np.full((2, 4), np.nan), np.zeros((2, 4), bool), {}, "8 of 8 similarities are not finite"),
        (np.zeros(4), np.zeros(4, bool), {}, "found shape"),
        (np.zeros((0, 4)), np.zeros((0, 4), bool), {}, "0 queries and 4 candidates"),
    ],
)
def test_bad_input_is_named(scores, relevance, options, message):
    with pytest.raises(ValueError, match=message):
        precision_at(scores, relevance, **({"ks": (1,)} | options))


def test_a_query_whose_candidates_are_all_excluded_is_named():
    excluded = np.zeros((3, 4), bool)
    excluded[1, 1:] = True
    with pytest.raises(ValueError, match=r"Query 1 has 1 candidates \(3 of 4 are excluded\).*precision@2"):
        precision_at(np.zeros((3, 4)), np.zeros((3, 4), bool), excluded=excluded, ks=(2,))


def test_embeddings_without_direction_are_named():
    good, bad = np.ones((3, 4)), np.ones((3, 4))
    bad[1] = 0
    with pytest.raises(ValueError, match="1 candidate embeddings are zero or not finite, for example row 1"):
        CosineSimilarity(good, bad)
    bad[1] = np.nan
    with pytest.raises(ValueError, match="1 query embeddings"):
        CosineSimilarity(bad, good)
    with pytest.raises(ValueError, match="4 wide and candidate embeddings 5"):
        CosineSimilarity(good, np.ones((3, 5)))
    with pytest.raises(ValueError, match=r"found shape \(3,\)"):
        CosineSimilarity(np.ones(3), good)
