"""A stream of jobs over worker processes that start clean: no fork, and no second run of the main script.

`multiprocessing` re-imports the main script in every worker, which breaks in scripts without a guard and
costs seconds where that script imports torch. Here a worker is `python -m lib.data.workers MODULE:FUNCTION`
that reads jobs from its standard input and ends when its parent does, however the parent ended.
"""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from lib.registry import resolve

KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}
"""Environment in which glibc keeps freed memory: a training step gives back and asks for the same blocks all
the time, and taking them from the system each time is 3 to 5 % of it."""


def count_workers(wanted: int | None) -> int:
    """Return a number of worker processes: the wanted one, or as many as this process has cores."""
    return len(os.sched_getaffinity(0)) if wanted is None else wanted


def run_jobs(
    function: str,
    jobs: Iterable[Any],
    num_workers: int,
    *,
    lost: Callable[[Any, str], Any] | None = None,
) -> Iterator[Any]:
    """Yield `function(job)` for every job, in the order of completion.

    Workers pull: at most one job per worker is in memory. An exception of a worker or of `jobs` is raised
    here. Closing the generator kills the workers (their writes must be atomic) and leaves no process.

    Args:
        function: `"package.module:attribute"`, importable by a worker.
        jobs: picklable.
        num_workers: processes; 0 works in this process.
        lost: of a job whose worker ended early, and why, the result that stands for it; another worker goes
            on with the next job. None: a lost worker is an error.
    """
    if num_workers == 0:
        yield from map(_load(function), jobs)
        return
    results: queue.SimpleQueue = queue.SimpleQueue()
    source, turn = iter(jobs), threading.Lock()
    processes: list[subprocess.Popen] = []
    feeders: list[threading.Thread] = []

    def hire() -> None:
        processes.append(_start(function))
        feeders.append(threading.Thread(target=_feed, args=(processes[-1], source, turn, results)))
        feeders[-1].start()

    try:
        for _ in range(num_workers):
            hire()
        working = num_workers
        while working:
            kind, value = results.get()
            if kind == "result":
                yield value
            elif kind == "end":
                working -= 1
            elif kind == "lost" and lost is not None:
                yield lost(*value)
                hire()
            elif kind == "lost":
                raise RuntimeError(f"{value[1]} What was finished is kept: run the same command again.")
            else:
                raise value
    finally:
        for process in processes:
            process.kill()  # one that has ended is not hurt
        for feeder in feeders:
            feeder.join()
        for process in processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _load(function: str) -> Callable[[Any], Any]:
    return resolve("job", {"job": function})


def worker_environment() -> dict[str, str]:
    """Return what a worker has in its environment beside what this process has."""
    return {
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        "OMP_NUM_THREADS": "1",  # the processes are the parallelism
        "OPENBLAS_NUM_THREADS": "1",
        **KEEP_MEMORY,
    }


def _start(function: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "lib.data.workers", function],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | worker_environment(),
        start_new_session=True,  # Ctrl-C goes to the parent alone, which then ends the workers
    )


def _feed(
    process: subprocess.Popen, source: Iterator, turn: threading.Lock, results: queue.SimpleQueue
) -> None:
    """Give one worker its jobs, one at a time."""
    job = _NO_JOB
    try:
        while True:
            with turn:
                job = next(source, _NO_JOB)
            if job is _NO_JOB:
                break
            _send(process.stdin, pickle.dumps(job))
            kind, value = pickle.loads(pickle.load(process.stdout))
            results.put((kind, value))
            if kind == "error":
                return
        process.stdin.close()
        process.wait()
        results.put(("end", None))
    except (EOFError, BrokenPipeError):
        code = process.wait()
        message = f"A worker process ended early (exit code {code}; -9 is often a lack of memory)."
        # One that dies after its last job takes nothing with it.
        results.put(("end", None) if job is _NO_JOB else ("lost", (job, message)))
    except BaseException as error:  # of the jobs themselves: raised in the thread that waits for results
        results.put(("error", error))


def _send(stream: BinaryIO, payload: bytes) -> None:
    pickle.dump(payload, stream)
    stream.flush()


def _serve(function: Callable[[Any], Any], incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer jobs until the parent closes the stream."""
    while True:
        try:
            payload = pickle.load(incoming)
        except EOFError:
            return
        try:
            answer = pickle.dumps(("result", function(pickle.loads(payload))))
        except Exception as error:
            answer = _portable(error)
        _send(outgoing, answer)


def _portable(error: Exception) -> bytes:
    """Pickle an exception with its traceback as a note; one that does not survive becomes a RuntimeError."""
    trace = traceback.format_exc()
    try:
        error.add_note(f"In a worker process:\n{trace}")
        answer = pickle.dumps(("error", error))
        pickle.loads(answer)
        return answer
    except Exception:
        return pickle.dumps(("error", RuntimeError(trace)))


_NO_JOB = object()


def _end_with(parent: int) -> None:
    """End this process soon after its parent, also in the middle of a long job: its writes are atomic."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def main() -> None:
    """Be a worker; what the function prints goes to standard error, standard output carries results."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        _serve(_load(sys.argv[1]), sys.stdin.buffer, outgoing)
    except BrokenPipeError:
        os._exit(1)  # the parent is gone; flushing at exit would only complain


if __name__ == "__main__":
    main()
