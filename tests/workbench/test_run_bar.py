"""The bar over runs: its estimate, and what it counts."""

import time

import pytest

from workbench.jobs import Outcome
from workbench.run_bar import RunBar

FINISHED, FAILED = Outcome("a run"), Outcome(None, "no")
ELSEWHERE = Outcome(None, "another process is at it", elsewhere=True)


@pytest.fixture
def bar(monkeypatch):
    """Return a bar over 100 runs, 20 of which are finished already."""
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    with RunBar(100, 20, "runs") as bar:
        yield bar


def test_the_estimate_is_the_mean_time_of_the_runs_so_far(bar):
    # The latest few are not like the others: those of a small label ratio, say.
    ended = [FINISHED] * 20
    for _ in range(2):
        for seconds in (0.6, 0.12, 0.12, 0.12, 0.12):
            time.sleep(seconds)
            ended.append(FINISHED)
            bar.show(ended)
    said = bar.bar.format_dict
    rate = said["rate"] or (said["n"] - said["initial"]) / said["elapsed"]
    assert (said["total"] - said["n"]) / rate == pytest.approx(said["elapsed"] * 70 / 10, rel=0.01)
    assert "30/100" in str(bar.bar)


def test_failures_are_counted_and_what_others_do_is_not(bar):
    bar.show([FINISHED] * 20 + [FAILED, FAILED, ELSEWHERE])
    assert "22/100" in str(bar.bar) and "failed=2" in str(bar.bar)


def test_it_is_silent_where_nobody_wants_it(capsys):
    with RunBar(10, 0, "runs", progress=False) as bar:
        bar.show([FINISHED, FAILED])
    assert capsys.readouterr().err == ""
