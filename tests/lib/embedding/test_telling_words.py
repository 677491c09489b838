"""Words that set a group apart, against the formula written out."""

import math

import numpy as np
import pytest

from lib.embedding.words import PRIOR, ReportTerms, log_odds_z

ILL = "There is a large pleural effusion. The heart is enlarged."
WELL = "No pleural effusion is seen. The heart is normal."


@pytest.fixture
def terms():
    return ReportTerms([ILL] * 6 + [WELL] * 10)


def naive(count, size, other, other_size):
    share = (count + other) / (size + other_size)
    sides = []
    for has, number in ((count, size), (other, other_size)):
        a, b = has + PRIOR * share, number - has + PRIOR * (1 - share)
        sides.append((math.log(a / b), 1 / a + 1 / b))
    return (sides[0][0] - sides[1][0]) / math.sqrt(sides[0][1] + sides[1][1])


@pytest.mark.parametrize("sizes", [(6, 10), (40, 3), (1, 500)])
def test_it_is_the_difference_of_log_odds(sizes):
    random = np.random.default_rng(0)
    counts = np.stack([random.integers(size + 1, size=20) for size in sizes]).astype(float)
    counts[:, 0] = 0, 1
    z = log_odds_z(counts, np.array(sizes, float))
    for place in range(20):
        if 0 < counts[:, place].sum() < sum(sizes):
            expected = naive(counts[0, place], sizes[0], counts[1, place], sizes[1])
            assert z[place] == pytest.approx(expected)


def test_a_word_that_all_or_equal_shares_have_tells_nothing():
    z = log_odds_z(np.array([[6.0, 3.0], [10.0, 5.0]]), np.array([6.0, 10.0]))
    assert z[0] == 0 and z[1] == pytest.approx(0, abs=1e-12)


def test_the_words_of_a_group_come_first(terms):
    table = terms.apart(np.arange(16) < 6)
    more = table[table["z"] > 0]["term"].tolist()
    fewer = table[table["z"] < 0]["term"].tolist()
    assert any("enlarged" in term for term in more) and any("large" in term for term in more)
    assert any("no pleural" in term for term in fewer) and any("normal" in term for term in fewer)
    first = table.iloc[0]
    assert {first["inside"], first["outside"]} == {0.0, 1.0}
    assert "effusion" not in more and "heart" not in more  # both kinds have it


def test_terms_are_counted_once_a_report_and_do_not_cross_borders():
    terms = ReportTerms(["Heart heart heart. Lungs XXXX clear, normal size."] * 3 + ["Bones."] * 3)
    assert set(terms.terms) >= {"heart", "lungs", "clear", "normal size", "bones"}
    assert not {"heart lungs", "lungs clear", "clear normal", "xxxx"} & set(terms.terms)
    assert terms.has.max() == 1


def test_terms_do_not_end_in_words_that_say_nothing():
    terms = ReportTerms(["There is no evidence of pleural effusion."] * 3)
    assert {"no evidence", "pleural effusion", "evidence of pleural"} <= set(terms.terms)
    assert not {"there", "of pleural", "evidence of", "no", "is no"} & set(terms.terms)


def test_rare_terms_are_left_out():
    assert "bones" not in ReportTerms(["Heart."] * 5 + ["Bones."] * 2).terms


def test_of_phrases_that_hold_each_other_one_is_kept(terms):
    table = terms.apart(np.arange(16) < 6)
    for sign in (1, -1):
        kept = [f" {term} " for term in table[np.sign(table["z"]) == sign]["term"]]
        assert not any(a != b and a in b for a in kept for b in kept)


def test_a_group_needs_others(terms):
    for inside in (np.ones(16, bool), np.zeros(16, bool)):
        with pytest.raises(ValueError, match="the others"):
            terms.apart(inside)


def test_some_of_the_reports_can_be_taken(terms):
    some = terms.of(np.arange(16) >= 3)
    assert some.has.shape[0] == 13 and terms.has.shape[0] == 16
    whole = terms.apart(np.arange(16) < 6).set_index("term")["num_inside"]
    assert (some.apart(np.arange(13) < 3).set_index("term")["num_inside"] <= whole.max()).all()
