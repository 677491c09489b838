import math

import numpy as np
import pandas as pd
import pytest

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.readers.uncertainty import LabelPolicy

NAN = math.nan


def table(*cells, label="Edema"):
    """Give one label these cells and leave the others empty; columns in another order than ours."""
    columns = {name: [""] * len(cells) for name in reversed(CHEXPERT_LABELS)}
    return pd.DataFrame(columns | {label: cells}, dtype=str)


@pytest.mark.parametrize(
    ("uncertain", "blank", "expected"),
    [
        ("ignore", "ignore", [1, 0, NAN, NAN]),
        ("zeros", "ignore", [1, 0, 0, NAN]),
        ("ones", "ignore", [1, 0, 1, NAN]),
        ("ignore", "zeros", [1, 0, NAN, 0]),
        ("zeros", "zeros", [1, 0, 0, 0]),
        ("ones", "zeros", [1, 0, 1, 0]),
    ],
)
def test_policies(tmp_path, uncertain, blank, expected):
    policy = LabelPolicy(uncertain=uncertain, blank=blank)
    values = policy.read(table("1.0", "0.0", "-1.0", ""), tmp_path, "Set")
    assert values.dtype == np.float32 and values.shape == (4, 14)
    place = CHEXPERT_LABELS.index("Edema")
    np.testing.assert_array_equal(values[:, place], expected)
    rest = np.delete(values, place, axis=1)
    assert (rest == 0).all() if blank == "zeros" else np.isnan(rest).all()


@pytest.mark.parametrize(("cell", "said"), {"2": "2", "0.5": "0.5", "-2": "-2", "inf": "inf"}.items())
def test_a_label_outside_its_range_is_named(tmp_path, cell, said):
    with pytest.raises(ValueError, match=rf"labels.csv, row 2: Fracture is {said}, not 1, 0, -1 or empty"):
        LabelPolicy().read(table("1", cell, label="Fracture"), tmp_path / "labels.csv", "Set")


def test_a_label_that_is_a_word_is_named(tmp_path):
    with pytest.raises(ValueError, match="row 1: Fracture is 'yes', not a number"):
        LabelPolicy().read(table("yes", label="Fracture"), tmp_path / "labels.csv", "Set")


def test_unknown_policies():
    with pytest.raises(ValueError, match="uncertain='maybe' is not one of ignore, zeros, ones"):
        LabelPolicy(uncertain="maybe")
    with pytest.raises(ValueError, match="blank='ones' is not one of ignore, zeros"):
        LabelPolicy(blank="ones")


def test_the_card_says_what_was_chosen():
    assert LabelPolicy(uncertain="ones", blank="zeros").describe() == (
        "What the report is unsure of counts as present, what it leaves unsaid as absent."
    )
