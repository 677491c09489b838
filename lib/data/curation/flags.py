"""Flags: what is odd about a picture that ingest kept. A person decides whether a study with one is used."""

import pyarrow as pa

FLAGS = {
    "identical": "the same pixels as an earlier picture",
    "near_identical": "an earlier picture once more: another size, quality or exposure",
    "mirrored": "an earlier picture with left and right exchanged",
    "inverted": "black and white look exchanged",
    "rotated": "looks turned by a quarter or a half",
    "view_position": "looks lateral and is filed as frontal, or the other way round",
    "not_a_radiograph": "unlike all others of its kind, or an oval body in air, as in a slice of a CT",
    "blank": "shows nothing",
}
"""Each flag and what it says, in the order in which people see them."""

COPIES = ("identical", "near_identical", "mirrored")
"""Flags that name an earlier picture."""

SCHEMA = pa.schema(
    [
        ("view_row", pa.int64()),
        ("view_id", pa.string()),
        ("flag", pa.string()),
        ("score", pa.float64()),
        ("twin", pa.string()),
        ("detail", pa.string()),
    ]
)
"""flags.parquet, one row per view and flag. `score`, 0 to 1: of copies the correlation; of turned, inverted
and misfiled ones how much better that fits; of what is no radiograph the share that is unlike the others, or
the overlap with an oval. `twin`: of copies the view_id of the earlier picture, else ""."""
