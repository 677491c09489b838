"""Structured labels with the errors that such labels have, stated here and measured in the tests."""

from collections.abc import Mapping

from lib.data.phantom.domain import LABEL_NAMES
from lib.data.phantom.draw import Draw

AFFIRMED, HEDGED, DENIED, SILENT = "affirmed", "hedged", "denied", "silent"
"""How a report speaks of a finding."""

MISSES = {AFFIRMED: 0.04, HEDGED: 0.35}
"""Share of true findings that the automatic labeller misses, by how the report speaks of them."""
FALSE_ALARMS = {HEDGED: 0.35, DENIED: 0.012, SILENT: 0.004}
"""Share of absent findings that the automatic labeller reports, by how the report speaks of them."""
CONSENSUS_MISS = 0.03
"""Share of true findings that the readers of the target hospital miss together."""
CONSENSUS_FALSE_ALARM = 0.005
"""Share of absent findings that they report."""


def label_report(truth: frozenset[str], mentions: Mapping[str, str], draw: Draw) -> dict[str, float]:
    """Label a study as an automatic labeller reads its report.

    Args:
        truth: names of the findings that are there.
        mentions: finding -> how the report speaks of it.
        draw: the study's stream of labelling errors.
    """
    labels = {}
    for name in LABEL_NAMES:
        if name in truth:
            labels[name] = float(not draw.chance(MISSES[mentions[name]]))
        else:
            labels[name] = float(draw.chance(FALSE_ALARMS[mentions[name]]))
    return labels


def label_by_consensus(truth: frozenset[str], draw: Draw) -> dict[str, float]:
    """Label a study as several readers of the pictures agree."""
    return {
        name: float(not draw.chance(CONSENSUS_MISS) if name in truth else draw.chance(CONSENSUS_FALSE_ALARM))
        for name in LABEL_NAMES
    }
