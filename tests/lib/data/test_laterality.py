import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.laterality import swap_laterality

SIDES = st.sampled_from(
    "left right Left RIGHT lEfT RighT leftward RIGHTmost leftover bright cleft upright RUL rml LLL LUL Rml "
    "Rt lt dextroscoliosis Levo levofloxacin dEXTROcurvature &lt; L1 - . 3".split()
)
TEXTS = st.lists(SIDES, max_size=12)


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("Left lower lobe opacity, RIGHT effusion.", "Right lower lobe opacity, LEFT effusion."),
        ("Left-sided port, right-sided line.", "Right-sided port, left-sided line."),
        ("left-to-right shift, rightward deviation", "right-to-left shift, leftward deviation"),
        ("the right's; left/right; (left) XXXX-left", "the left's; right/left; (right) XXXX-right"),
        ("RUL RML RLL LUL LLL rul", "LUL LML LLL RUL RLL lul"),
        ("lung apex.Left base", "lung apex.Right base"),
        ("Dextroscoliosis, levocurvature", "Levoscoliosis, dextrocurvature"),
        ("Rt effusion, lt base", "Lt effusion, rt base"),
        ("rightmost LEFTWARDS", "leftmost RIGHTWARDS"),
    ],
)
def test_sides_change_places(text, swapped):
    assert swap_laterality(text) == swapped
    assert swap_laterality(swapped) == text


@pytest.mark.parametrize(
    "text",
    [
        "bright cleft palate upright brightness leftover Wright outright",
        "L1 and L5, R > L, LAD, RLLs, lingula, levofloxacin, dextrose, dextrocardia",
        "bilateral XXXX, &lt;3 cm, RT for cancer",
        "",
    ],
)
def test_other_words_stay(text):
    assert swap_laterality(text) == text


@given(TEXTS, st.sampled_from(["", " ", "-"]), st.text(max_size=9))
@settings(deadline=None, max_examples=200)
def test_two_swaps_are_none(words, glue, noise):
    text = glue.join([*words, noise])
    assert swap_laterality(swap_laterality(text)) == text


def naive_swap(text):
    """Word by word through a plain table, as a person would do it."""
    table = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "leftward": "rightward"}
    table |= {right: left for left, right in table.items()}
    return "".join(table.get(word, word) for word in re.split(r"(\W+)", text))


def test_real_reports_agree_with_a_word_table(shared):
    reports = pd.read_csv(shared / "data/openi-iu/indiana_reports.csv", dtype=str, keep_default_na=False)
    texts = (reports["findings"] + " " + reports["impression"]).tolist()
    swapped = [swap_laterality(text) for text in texts]
    spinal = re.compile("dextro|levo", re.IGNORECASE)
    assert all(
        naive_swap(old) == new for old, new in zip(texts, swapped, strict=True) if not spinal.search(old)
    )
    assert [swap_laterality(text) for text in swapped] == texts
    assert sum(old != new for old, new in zip(texts, swapped, strict=True)) > 700
