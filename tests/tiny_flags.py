"""Flags planted in a store that has none."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lib.data.curation.flags import SCHEMA


def flag_views(path: Path, flags: Mapping[int, str], twins: Mapping[int, int] | None = None) -> None:
    """Rewrite flags.parquet: view row -> flag, and for copies view row -> row of the earlier picture."""
    ids = pd.read_parquet(path / "views.parquet")["view_id"]
    twins = twins or {}
    rows = [
        {
            "view_row": row,
            "view_id": ids[row],
            "flag": flag,
            "score": 1.0 - row / 1000,
            "twin": ids[twins[row]] if row in twins else "",
            "detail": "",
        }
        for row, flag in sorted(flags.items())
    ]
    place = path / "flags.parquet"
    place.chmod(0o644)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), place)
