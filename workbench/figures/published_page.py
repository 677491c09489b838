"""The views of the page on published numbers, with predictions or without."""

from collections.abc import Callable
from typing import Any

from workbench.figures import published, published_tables
from workbench.published.printed import printed_tables
from workbench.published.reading import PublishedReading, open_reading


class PublishedPage:
    """Published predictions and how to look at them.

    Without predictions `about` says how to get them and shows the table as printed; what needs them is empty.

    Args:
        predictions: Parquet file, relative to the project or absolute.
        test_lists: folder of the published lists, "" for none.
        comparator: method that the first one is compared with where only one fits.
        settings: of `PublishedReading`.
    """

    def __init__(self, predictions: str, test_lists: str = "", *, comparator: str = "c2l", **settings: Any):
        self.reading = open_reading(predictions, test_lists, **settings)
        self._predictions, self._comparator = predictions, comparator

    def about(self) -> list[Any]:
        """Return the rebuilt table, or the printed one and how to get predictions."""
        if self.reading:
            return [published_tables.rebuilt_html(self.reading)]
        printed = published_tables.printed_html(printed_tables()["refers_table_1"])
        return [published_tables.missing_predictions(self._predictions), printed]

    def likeness(self) -> list[Any]:
        """Return which methods' predictions are alike."""
        return self._views(lambda reading: [published_tables.likeness_html(reading)])

    def differences(self) -> list[Any]:
        """Return the paired differences to all methods, and the tests against the comparator."""
        return self._views(
            lambda reading: [
                published.differences(reading),
                published_tables.differences_html(reading, self._comparator),
            ]
        )

    def findings(self, target: str, label_ratio: float) -> list[Any]:
        """Return the comparison with the comparator finding by finding."""
        chosen = (target, label_ratio, self._comparator)
        return self._views(
            lambda reading: [
                published.findings(reading, *chosen),
                published_tables.findings_html(reading, *chosen),
            ]
        )

    def efficiency(self) -> list[Any]:
        """Return how few labels the method needs."""
        return self._views(lambda reading: [published_tables.efficiency_html(reading)])

    def calibration(self, target: str, label_ratio: float) -> list[Any]:
        """Return whether scores are frequencies."""
        return self._views(lambda reading: [published.calibration(reading, target, label_ratio)])

    def power(self, difference: float) -> list[Any]:
        """Return how many test patients a difference (in points) from the comparator needs."""
        return self._views(lambda reading: [published.power_curves(reading, self._comparator, difference)])

    def printed(self) -> list[Any]:
        """Return all tables of both papers as printed."""
        return [published_tables.printed_html(table) for table in printed_tables().values()]

    def _views(self, make: Callable[[PublishedReading], list[Any]]) -> list[Any]:
        return make(self.reading) if self.reading else []
