import inspect

import pytest

from lib.loops.schedule import learning_rate_factor, milestone_factor


@pytest.mark.parametrize(
    ("step", "rate"), [(0, 0.0), (5_000, 1.5e-3), (10_000, 3e-3), (205_000, 1.5e-3), (400_000, 0.0)]
)
def test_official_learning_rates(step, rate):
    factor = learning_rate_factor(step, steps=400_000, warmup_steps=10_000)
    assert 3e-3 * factor == pytest.approx(rate, abs=1e-12)


def test_paper_schedule_rises_then_falls_without_a_jump():
    factors = [
        learning_rate_factor(step, steps=300_000, warmup_steps=10_000) for step in range(0, 300_001, 100)
    ]
    assert factors[100] == max(factors) == 1.0
    assert factors[:101] == sorted(factors[:101])
    assert factors[100:] == sorted(factors[100:], reverse=True)
    assert max(abs(a - b) for a, b in zip(factors, factors[1:], strict=False)) <= 0.0100001


def test_no_warmup_starts_at_the_peak_and_nothing_is_left_after_the_end():
    assert learning_rate_factor(0, steps=10, warmup_steps=0) == 1.0
    assert learning_rate_factor(25, steps=10, warmup_steps=0) == 0.0
    # Pure: the step and the two lengths are all that it sees.
    assert list(inspect.signature(learning_rate_factor).parameters) == ["step", "steps", "warmup_steps"]


@pytest.mark.parametrize(
    ("step", "factor"), [(0, 0.0), (5, 0.5), (10, 1.0), (599, 1.0), (600, 0.1), (799, 0.1), (800, 0.01)]
)
def test_rates_fall_at_milestones(step, factor):
    found = milestone_factor(step, steps=1000, warmup_steps=10, milestones=(0.6, 0.8), reduction=0.1)
    assert found == pytest.approx(factor)
