"""Tables for people say what the data frames say, rounded."""

import numpy as np
import pandas as pd

from workbench.tables import auroc_table, file_table, method_name, value_table


def test_auroc_table_has_estimates_intervals_and_paired_differences():
    summary = pd.DataFrame(
        {
            "label_ratio": [0.01, 0.01],
            "method": ["random", "refers"],
            "num_seeds": [3, 3],
            "auroc": [0.60049, 0.71],
            "low": [0.55, 0.68],
            "high": [0.65, 0.74],
            "difference": [np.nan, 0.10951],
            "difference_low": [np.nan, 0.08],
            "difference_high": [np.nan, 0.14],
        }
    )
    assert auroc_table(summary).to_numpy().tolist() == [
        ["1 %", "random initialisation", 3, "0.600", "[0.550, 0.650]", "", ""],
        ["1 %", "REFERS", 3, "0.710", "[0.680, 0.740]", "+0.110", "[+0.080, +0.140]"],
    ]


def test_an_unknown_method_keeps_its_name():
    assert method_name("convirt_long") == "convirt_long"


def test_a_config_is_flattened_to_the_keys_that_overrides_use():
    table = value_table({"seed": 0, "train": {"steps": 10, "inner": {"a": [1, 2]}}})
    assert table["value"].to_dict() == {"seed": 0, "train.steps": 10, "train.inner.a": [1, 2]}


def test_files_are_listed_with_their_size(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.bin").write_bytes(bytes(1500))
    (tmp_path / "b.json").write_text("{}")
    table = file_table(tmp_path / "store", tmp_path / "b.json", tmp_path / "missing")
    assert table["file"].tolist() == [str(tmp_path / "store" / "a.bin"), str(tmp_path / "b.json")]
    assert table["kB"].tolist() == [1.5, 0.0]
