"""When a sweep will be done, judged by what its finished parts have taken."""

import datetime
import math
import statistics
from collections.abc import Iterable
from typing import NamedTuple

from workbench.sweep_reading.run_index import FINISHED, RUNNING, RunState
from workbench.sweep_reading.watch import SweepWatch


class Forecast(NamedTuple):
    """What is left.

    Attributes:
        work: seconds that the unfinished runs take one after another; NaN where none like them is finished.
        at_a_time: runs that go on now.
    """

    work: float
    at_a_time: int

    @property
    def left(self) -> float:
        """Seconds until the end; NaN where nothing goes on or nothing is known."""
        return self.work / self.at_a_time if self.at_a_time else math.nan


def forecast(watch: SweepWatch) -> Forecast:
    """Judge what is left: a cell takes what finished cells of its method took, or else what all took."""
    cells = [(one.method, one.found) for one in watch.cells]
    # Two methods may share a pre-training.
    shared = {str(one.run and one.run.id or name): one for name, one in watch.pretrainings.items()}
    pretrained = list(shared.items())
    work = _work(cells) + _work(pretrained)
    running = [one for _, one in (*cells, *pretrained) if one.state == RUNNING]
    return Forecast(work, len(running))


def in_words(seen: Forecast, now: datetime.datetime) -> str:
    """Return the forecast as part of a sentence, "" where there is none."""
    if math.isnan(seen.work) or seen.work <= 0:
        return ""
    if not seen.at_a_time:
        return f"nothing runs now; about {duration(seen.work)} of work are left"
    end = now + datetime.timedelta(seconds=seen.left)
    day = "" if end.date() == now.date() else f"{end:%Y-%m-%d} "
    return f"done in about {duration(seen.left)}, at {day}{end:%H:%M}, {seen.at_a_time} at a time"


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _work(named: Iterable[tuple[str, RunState]]) -> float:
    """Return the seconds that are left of runs, each with a name for what is alike; NaN: nobody knows."""
    named = list(named)
    taken: dict[str, list[float]] = {}
    for name, one in named:
        if one.state == FINISHED and not math.isnan(one.seconds):
            taken.setdefault(name, []).append(one.seconds)
    all_taken = [seconds for some in taken.values() for seconds in some]
    left = 0.0
    for name, one in named:
        if one.state != FINISHED:
            typical = taken.get(name) or all_taken
            if not typical:
                return math.nan
            spent = one.seconds if one.state == RUNNING and not math.isnan(one.seconds) else 0.0
            left += max(0.0, statistics.median(typical) - spent)
    return left
