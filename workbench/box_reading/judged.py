"""The maps of one or two fine-tunings judged against the boxes of a split."""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.box_reading.map_source import open_sources
from workbench.locating import Located, locate
from workbench.runs import Run

START = 0.5
"""Threshold to begin with where none could be chosen."""


def judge_maps(
    runs: Sequence[Run], *, store: str = "", split: str = "test", threshold: float = 0.0, **options: Any
) -> dict[str, Located | str]:
    """Judge every run, or say why it cannot be judged.

    Args:
        runs: finished fine-tunings, at most two.
        store: see `workbench.locating.locate_maps`.
        split: whose pictures.
        threshold: of the maps; 0 chooses it on the validation split.
        options: further ones of `workbench.locating.locate`.

    Returns:
        Name of the model -> what it is worth, or the reason why not.
    """
    judged: dict[str, Located | str] = {}
    for source in open_sources(runs, store=store, split=split):
        try:
            judged[source.name] = locate(
                source.run, store=store, split=split, threshold=threshold or None, **options
            )
        except ValueError as error:
            judged[source.name] = str(error)
    return judged


def chosen_threshold(judged: Mapping[str, Located | str]) -> float:
    """Return the threshold of all findings of the first model that could be judged."""
    some = [one for one in judged.values() if isinstance(one, Located)]
    return some[0].summary["thresholds"][""] if some else START
