import subprocess
import sys

import numpy as np
from PIL import Image

from lib.data.phantom.contact_sheet import COLUMNS, TILE, draw_sheet
from lib.data.phantom.domain import LABEL_NAMES
from lib.data.phantom.summary import count_findings, format_table


def test_sheet_has_all_tiles(tmp_path):
    draw_sheet(tmp_path / "sheet.png", seed=3)
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape[1] == COLUMNS * TILE
    assert all(
        pixels[: TILE // 2, TILE * column : TILE * (column + 1)].std() > 20 for column in range(COLUMNS)
    )


def test_module_without_a_path_says_how_to_use_it():
    done = subprocess.run(
        [sys.executable, "-m", "lib.data.phantom.contact_sheet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "OUT.png" in done.stderr


def test_summary_counts_every_study_once():
    counts = count_findings("source", 150)
    assert set(counts) == {*LABEL_NAMES, "Normal"}
    assert all(sum(counter.values()) == 150 for counter in counts.values())
    table = format_table(150)
    assert all(f"| {name} |" in table for name in LABEL_NAMES)
