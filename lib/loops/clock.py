"""How fast the loop runs and how long it waits for data."""

import contextlib
import time
from collections.abc import Iterator

from torch import Tensor

from lib.losses.gather import num_processes


class Clock:
    """Images per second and the share of waiting between two lines of metrics.jsonl.

    Validation and checkpoints count for the run's seconds, not for the speed of training.
    """

    def __init__(self, seconds_before: float = 0.0):
        self._begin = time.perf_counter() - seconds_before
        self._since_line()

    def seconds(self) -> float:
        """Return the seconds of the whole run, earlier parts included."""
        return time.perf_counter() - self._begin

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count what happens inside as waiting for data."""
        start = time.perf_counter()
        yield
        self._waited += time.perf_counter() - start

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Leave what happens inside out of the speed."""
        start = time.perf_counter()
        yield
        self._line_begin += time.perf_counter() - start

    def count(self, images: Tensor) -> None:
        """Count the images of a batch `[B, V, C, H, W]`, of which every process has one."""
        self._images += images.shape[0] * images.shape[1] * num_processes()

    def take(self) -> dict[str, float]:
        """Return the speed since the last call, under the names of metrics.jsonl."""
        passed = max(time.perf_counter() - self._line_begin, 1e-9)
        speed = {
            "images_per_second": round(self._images / passed, 2),
            "data_wait_share": round(min(1.0, self._waited / passed), 4),
            "time": round(self.seconds(), 3),
        }
        self._since_line()
        return speed

    def _since_line(self) -> None:
        self._line_begin = time.perf_counter()
        self._waited, self._images = 0.0, 0
