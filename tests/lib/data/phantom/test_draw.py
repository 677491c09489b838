import numpy as np
import pytest

from lib.data.phantom.draw import Draw


def test_same_key_same_stream_other_key_other_stream():
    first, second, other = Draw("a", 1), Draw("a", 1), Draw("a", 2)
    values = [first.unit() for _ in range(5)]
    assert values == [second.unit() for _ in range(5)]
    assert values != [other.unit() for _ in range(5)]


def test_stream_is_pinned_across_platforms():
    assert round(Draw("pinned").unit(), 12) == 0.362885379741


def test_bell_has_its_spread_and_bounds():
    draw = Draw("bell")
    values = np.array([draw.bell(3.0, 2.0) for _ in range(4000)])
    assert values.mean() == pytest.approx(3.0, abs=0.1)
    assert values.std() == pytest.approx(2.0, rel=0.05)
    assert np.abs(values - 3.0).max() <= 6.0


def test_weighted_follows_its_weights():
    draw = Draw("weighted")
    picks = [draw.weighted("abc", (0.2, 0.3, 0.5)) for _ in range(4000)]
    assert [picks.count(letter) / 4000 for letter in "abc"] == pytest.approx([0.2, 0.3, 0.5], abs=0.03)


def test_shuffled_keeps_all_and_moves_all():
    draw = Draw("shuffled")
    orders = {tuple(draw.shuffled("abc")) for _ in range(200)}
    assert len(orders) == 6
    assert all(sorted(order) == list("abc") for order in orders)
