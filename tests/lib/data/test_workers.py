"""Jobs over worker processes: results, errors, ends."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lib.data.workers import run_jobs


@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_every_job_has_its_result(num_workers):
    assert sorted(run_jobs("math:sqrt", [n * n for n in range(20)], num_workers)) == list(range(20))


def test_workers_are_other_processes_and_are_gone_afterwards():
    processes = set(run_jobs("tiny_jobs:process_id", range(6), 2))
    assert os.getpid() not in processes
    assert not any(_is_running(process) for process in processes)
    assert not any("_feed" in thread.name for thread in threading.enumerate())


def test_what_a_job_prints_does_not_disturb_the_results():
    assert list(run_jobs("tiny_jobs:talk", ["a", "b"], 1)) == ["a", "b"]


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_error_of_a_job_is_raised_here(num_workers):
    with pytest.raises(ValueError, match="domain error|nonnegative") as caught:
        list(run_jobs("math:sqrt", [4, -1, 9], num_workers))
    assert num_workers == 0 or "worker process" in caught.value.__notes__[0]


def test_an_error_that_cannot_travel_becomes_a_runtime_error():
    with pytest.raises(RuntimeError, match="Stubborn"):
        list(run_jobs("tiny_jobs:raise_stubbornly", [1], 1))


def test_an_error_of_the_job_source_is_raised_here():
    def source():
        yield 4
        raise KeyError("source")

    with pytest.raises(KeyError, match="source"):
        list(run_jobs("math:sqrt", source(), 2))


def test_a_worker_that_dies_is_an_error():
    with pytest.raises(RuntimeError, match="exit code 7"):
        list(run_jobs("os:_exit", [7], 1))


def test_a_lost_job_may_have_a_result_and_the_others_go_on():
    jobs = [1, 2, "die", 3, "die", 4]
    results = list(run_jobs("tiny_jobs:work_or_die", jobs, 2, lost=lambda job, reason: (job, reason)))
    assert sorted(value for value in results if isinstance(value, int)) == [1, 2, 3, 4]
    lost = [value for value in results if not isinstance(value, int)]
    assert [job for job, _ in lost] == ["die", "die"]
    assert all("exit code -9" in reason for _, reason in lost)


def test_jobs_are_pulled_as_needed():
    taken = []
    results = run_jobs("time:sleep", (taken.append(n) or 0.2 for n in range(1000)), 1)
    with contextlib.closing(results):
        next(results)
        assert len(taken) <= 2  # one is done, one is in the worker


def test_closing_early_leaves_no_process():
    results = run_jobs("tiny_jobs:process_id", range(10**6), 2)
    processes = {next(results) for _ in range(50)}
    results.close()
    assert not any(_is_running(process) for process in processes)


def test_a_worker_in_a_long_job_ends_with_its_parent():
    code = "from lib.data.workers import run_jobs; list(run_jobs('tiny_jobs:sleep_long', [0], 1))"
    paths = os.pathsep.join(map(str, (Path(__file__).parent, Path(__file__).parents[3])))
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    worker = int(parent.stderr.readline())  # it says who it is, then sleeps
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while _is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.stderr.close()
    assert not _is_running(worker)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
