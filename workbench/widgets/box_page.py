"""The box explorer over finished runs, or the reason why there is nothing to explore."""

from collections.abc import Sequence
from typing import Any

from workbench.box_reading.map_source import open_sources
from workbench.runs import Run
from workbench.widgets.box_explorer import BoxExplorer
from workbench.widgets.refusal import Refusal


def explore_boxes(
    runs: Sequence[Run], *, store: str = "", split: str = "test", **options: Any
) -> BoxExplorer | Refusal:
    """Open the explorer of one run, or of two side by side.

    Args:
        runs: finished fine-tunings.
        store: a folder of other pictures; "" is that of the run.
        split: whose pictures.
        options: of `BoxExplorer`: what it begins with.
    """
    try:
        return BoxExplorer(open_sources(runs, store=store, split=split), **options)
    except (ValueError, FileNotFoundError) as error:
        return Refusal("Boxes of models beside those of readers", str(error))
