"""Effects that the papers printed, for the rows of our sweeps."""

import pytest

from workbench.published import printed_table
from workbench.sweep_reading.measure_effects import SHOWN, measure_effects, printed_measure_effects
from workbench.sweep_reading.printed_effects import printed_effects, printed_rows
from workbench.sweeps import read_sweep
from workbench.variants import read_variants

TABLE_3 = "sweeps/refers_table3_phantom"


def test_every_row_of_the_papers_ablation_is_a_method():
    rows = printed_rows(read_sweep(TABLE_3))
    assert sorted(rows.values()) == list("0123456") and rows["REFERS"] == "0"
    has = dict(zip(*(getattr(printed_table("refers_table_3"), key) for key in ("names", "has")), strict=True))
    assert "Task1" in has[rows["generation only"]] and "Task2" not in has[rows["generation only"]]
    assert "Task2" in has[rows["consistency only"]] and "Task1" not in has[rows["consistency only"]]
    assert "View Fusion" not in has[rows["no view fusion"]]
    assert "ViT" not in has[rows["ResNet"]] and "RecConcat" not in has[rows["plain ViT"]]
    assert not {"Task1", "Task2"} & set(has[rows["labels"]])


def test_effects_are_differences_of_printed_numbers():
    sweep = read_sweep(TABLE_3)
    assert printed_effects(sweep, "REFERS") == {
        "ResNet": -7.1, "plain ViT": -3.3, "no view fusion": -1.8, "labels": -3.8,
        "generation only": -1.3, "consistency only": -1.1,
    }  # fmt: skip
    assert printed_effects(sweep, "labels")["REFERS"] == 3.8
    assert printed_effects(sweep, "Random") == {}


def test_convirts_settings_have_three_measures_each():
    table, names = printed_table("convirt_table_3"), list(read_variants("sweeps/convirt_table3").overrides)
    found = printed_measure_effects(table, names, names[0])
    assert len(found) == 15
    assert found["tau = 1", "image-image precision@10"] == -17.9
    assert found["tau = 0.01", "text-image precision@10"] == -36.5
    assert printed_measure_effects(table, names, "none of them") == {}


def judgement(estimate, low, high):
    value = {"estimate": estimate, "low": low, "high": high}
    return {
        "image_image": {"precision": {"10": value}, "chance": 0.1},
        "text_image": None,
        "study_report": None,
        "zero_shot": None,
        "linear_probe": {"0.01": {"auroc": value}},
    }


def test_unpaired_intervals_add_as_squares():
    judged = {"default": judgement(0.5, 0.46, 0.53), "other": judgement(0.4, 0.37, 0.44)}
    found = measure_effects(judged, "default")
    assert found["series"].tolist() == list(SHOWN)[:2]
    for row in found.itertuples():
        assert row.difference == pytest.approx(-0.1)
        assert row.low == pytest.approx(-0.1 - (0.03**2 + 0.03**2) ** 0.5)
        assert row.high == pytest.approx(-0.1 + (0.04**2 + 0.04**2) ** 0.5)
    assert measure_effects(judged, "nobody").empty
