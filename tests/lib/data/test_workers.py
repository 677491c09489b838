"""Jobs over worker processes: results, errors, ends."""

import contextlib
import os
import threading

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


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
