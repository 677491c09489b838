"""What others published: tables as printed, predictions image by image, and what follows from these."""

from workbench.published.convirt import (
    CONVIRT_TABLE_2,
    CONVIRT_TABLE_2_CHANCE,
    CONVIRT_TABLE_2_SOURCE,
    CONVIRT_TABLE_3,
    CONVIRT_TABLE_3_SOURCE,
    PublishedRetrieval,
    PublishedSetting,
)
from workbench.published.predictions import Predictions, read_predictions
from workbench.published.printed import PrintedTable, printed_table, printed_tables

__all__ = [
    "CONVIRT_TABLE_2",
    "CONVIRT_TABLE_2_CHANCE",
    "CONVIRT_TABLE_2_SOURCE",
    "CONVIRT_TABLE_3",
    "CONVIRT_TABLE_3_SOURCE",
    "Predictions",
    "PrintedTable",
    "PublishedRetrieval",
    "PublishedSetting",
    "printed_table",
    "printed_tables",
    "read_predictions",
]
