"""The bar over many runs: how many are done, how many failed, how long the rest will take."""

from collections.abc import Collection
from typing import Any, Protocol, Self

from tqdm.auto import tqdm


class Ended(Protocol):
    """What the bar asks of a job that has ended."""

    run: Any
    elsewhere: bool


class RunBar:
    """A bar whose estimate is the mean time of the runs so far.

    tqdm's own estimate follows the latest few, which are not like those to come: label ratios and methods
    that take more time and less follow each other.
    """

    def __init__(self, total: int, finished: int, title: str, progress: bool = True):
        """Begin.

        Args:
            total: all runs.
            finished: those that were so from the start; they count for nothing in the estimate.
            title: of the bar.
            progress: shows it, unless TQDM_DISABLE is set.
        """
        quiet: dict[str, Any] = {} if progress else {"disable": True}
        self.bar = tqdm(total=total, initial=finished, desc=title, unit="run", smoothing=0, **quiet)

    def show(self, ended: Collection[Ended]) -> None:
        """Show the state of all that have ended; what another process is at has not."""
        own = [one for one in ended if not one.elsewhere]
        failed = sum(one.run is None for one in own)
        if failed:
            self.bar.set_postfix(failed=failed, refresh=False)
        self.bar.n = len(own)
        self.bar.refresh()

    def __enter__(self) -> Self:
        """Return the bar itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the bar."""
        self.bar.close()
