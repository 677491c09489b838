"""The estimated end of a sweep."""

import datetime
import math
from types import SimpleNamespace

import pytest

from workbench.sweep_reading.forecast import Forecast, duration, forecast, in_words
from workbench.sweep_reading.run_index import FAILED, FINISHED, MISSING, RUNNING, RunState
from workbench.sweep_reading.watch import CellState


def watched(pretrainings=None, **cells):
    found = [
        CellState(("t", method, 1.0, seed), RunState(state, seconds=seconds))
        for method, some in cells.items()
        for seed, (state, seconds) in enumerate(some)
    ]
    return SimpleNamespace(cells=found, pretrainings=pretrainings or {})


def test_a_cell_takes_what_cells_of_its_method_took():
    watch = watched(
        a=[(FINISHED, 10.0), (FINISHED, 12.0), (FINISHED, 90.0), (RUNNING, 5.0)],
        b=[(FINISHED, 100.0), (MISSING, math.nan), (FAILED, 3.0), (RUNNING, 130.0)],
        c=[(MISSING, math.nan)],
    )
    # 12 - 5, twice 100, one that should be over by now, and c as all: the median of 10, 12, 90, 100.
    assert forecast(watch) == Forecast(7 + 200 + 0 + 51, 2)
    assert forecast(watch).left == (7 + 200 + 51) / 2


def test_pretrainings_are_among_what_is_left():
    pretrainings = {"a": RunState(FINISHED, seconds=60.0), "b": RunState(RUNNING, seconds=20.0)}
    assert forecast(watched(pretrainings, a=[(FINISHED, 1.0)])) == Forecast(40, 1)


def test_nobody_knows_before_anything_is_finished():
    assert math.isnan(forecast(watched(a=[(RUNNING, 5.0)])).work)
    assert in_words(forecast(watched(a=[(RUNNING, 5.0)])), datetime.datetime.now()) == ""


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Forecast(1200, 2), "done in about 10 min, at 23:58, 2 at a time"),
        (Forecast(7200, 1), "done in about 2.0 h, at 2026-11-23 01:48, 1 at a time"),
        (Forecast(40, 0), "nothing runs now; about 40 s of work are left"),
        (Forecast(0, 0), ""),
    ],
)
def test_it_is_said_in_words(seen, words):
    assert in_words(seen, datetime.datetime(2026, 11, 22, 23, 48)) == words


def test_seconds_are_said_as_people_do():
    assert [duration(one) for one in (0, 89, 90, 5399, 5400)] == ["0 s", "89 s", "2 min", "90 min", "1.5 h"]
