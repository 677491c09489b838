"""Work in background threads, a little ahead of where its results are needed."""

import collections
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")

AHEAD = 2
"""Results that the background works ahead."""

THREADS = 2
"""Background threads; each makes a result by itself."""


def made_ahead(make: Callable[[int], T], steps: Iterable[int]) -> Iterator[T]:
    """Yield what `make` gives for each step, in their order.

    An error of a background thread is raised here. Closing the iterator ends the threads.
    """
    left = iter(steps)
    waiting: collections.deque[Future[T]] = collections.deque()
    with _start_threads() as threads:
        try:
            while True:
                while len(waiting) <= AHEAD and (step := next(left, None)) is not None:
                    waiting.append(threads.submit(make, step))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for result in waiting:
                result.cancel()


def _start_threads() -> ThreadPoolExecutor:
    """Start the background threads, each with its tensor code on one core.

    Tensor code of one thread on all cores waits at the end of every operation for the slowest core, which is
    the one that something else is using: 150 to 560 images a second on two busy cores, against 1,050 to 1,330
    by a single thread on one core.
    """
    num_cores = torch.get_num_threads()
    threads = ThreadPoolExecutor(THREADS, "study-loader", initializer=_use_one_core)
    everyone = threading.Barrier(THREADS)
    list(threads.map(lambda _: everyone.wait(), range(THREADS)))  # all are running and have their number
    torch.set_num_threads(num_cores)  # the number for this thread and for those to come
    return threads


def _use_one_core() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # a thread takes the number over at its first use: that is now
