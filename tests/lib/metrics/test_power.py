import math

import numpy as np
import pytest

from lib.metrics.power import patients_needed, power

PILOT = {"standard_error": 0.02, "num_patients": 500}


def test_the_needed_number_has_the_wanted_power_and_one_patient_less_has_not():
    for wanted in (0.6, 0.8, 0.95):
        needed = patients_needed(0.03, **PILOT, wanted_power=wanted)
        assert needed == int(needed)
        assert power(0.03, needed, **PILOT) >= wanted > power(0.03, needed - 2, **PILOT)


def test_the_textbook_value():
    """(1.96 + 0.84) ** 2 = 7.849 standard errors squared: 7.849 * 500 * (2 / 3) ** 2."""
    assert patients_needed(0.03, **PILOT) == math.ceil(7.8489 * 500 * 4 / 9)
    assert patients_needed(-0.03, **PILOT) == patients_needed(0.03, **PILOT)
    assert patients_needed(0.0, **PILOT) == math.inf


def test_half_the_difference_needs_four_times_the_patients():
    assert patients_needed(0.015, **PILOT) == pytest.approx(4 * patients_needed(0.03, **PILOT), abs=4)


def test_power_grows_from_the_level_of_the_test_to_one():
    curve = power(0.03, [1, 100, 1000, 10_000, 10**6], **PILOT)
    assert (np.diff(curve) > 0).all()
    assert curve[0] == pytest.approx(0.05, abs=0.001) and curve[-1] == pytest.approx(1.0)
    assert power(0.0, 1000, **PILOT) == pytest.approx(0.05)
    assert power(0.03, 500, **PILOT, confidence=0.99) < power(0.03, 500, **PILOT)


@pytest.mark.parametrize("wanted", [0.5, 1.0, 80])
def test_impossible_powers_are_refused(wanted):
    with pytest.raises(ValueError, match=f"wanted_power={wanted}"):
        patients_needed(0.03, **PILOT, wanted_power=wanted)
