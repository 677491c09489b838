"""All finished fine-tunings of a target on the same resamples of its test patients."""

import functools
from collections.abc import Mapping, Sequence

import numpy as np

from lib.metrics.bootstrap import ResampledAUROC
from lib.metrics.label_efficiency import LabelStep, enough_labels, label_efficiency
from workbench.runs import Run
from workbench.summary import Stack, stacked
from workbench.sweeps import Cell


class TargetResamples:
    """What a sweep says of one target, resampled once for every comparison.

    Attributes:
        findings: names of the labels.
        seeds: (method, label ratio) -> seeds that are finished.
        left_out: methods whose test images or labels are other ones, or whose predictions cannot be judged;
            nothing of them can be paired.
        synthetic: whether the test pictures were generated.
    """

    def __init__(self, cells: Sequence[Cell], *, replicates: int = 2000):
        """Read the predictions.

        Args:
            cells: finished ones of one target; the first decides which test images are meant.
            replicates: resamples of the bootstrap.

        Raises:
            ValueError: there is no cell.
        """
        if not cells:
            raise ValueError("No fine-tuning of this target is finished yet.")
        members: dict[tuple[str, float], dict[int, Run]] = {}
        for cell in cells:
            members.setdefault((cell.method, cell.label_ratio), {})[cell.seed] = cell.outcome.run
        first = next(iter(members.values()))
        run = next(iter(first.values()))
        self.findings: list[str] = run.result()["targets"]
        self.synthetic = bool(run.config["synthetic"])
        stacks = {key: stack for key, runs in members.items() if (stack := _try_stack(runs))}
        if not stacks:
            raise ValueError("No fine-tuning of this target has predictions that can be judged.")
        judged = stacks[next(iter(stacks))]
        fits = {
            key: np.array_equal(one.patients, judged.patients)
            and np.array_equal(one.labels, judged.labels, equal_nan=True)
            for key, one in stacks.items()
        } | {key: False for key in members.keys() - stacks.keys()}
        self.left_out = list(dict.fromkeys(key[0] for key in members if not fits[key]))
        stacks = {key: one for key, one in stacks.items() if fits[key]}
        self.seeds = {key: sorted(members[key]) for key in stacks}
        self._resampled = functools.cache(
            lambda: ResampledAUROC(
                judged.labels,
                {key: one.probabilities for key, one in stacks.items()},
                judged.patients,
                replicates=replicates,
            )
        )

    @property
    def resampled(self) -> ResampledAUROC:
        """Resamples of (method, label ratio), drawn when they are first asked for."""
        return self._resampled()

    @property
    def methods(self) -> list[str]:
        """Those with a finished cell."""
        return list(dict.fromkeys(method for method, _ in self.seeds))

    @property
    def label_ratios(self) -> list[float]:
        """Those with a finished cell, ascending."""
        return sorted({label_ratio for _, label_ratio in self.seeds})

    def ratios_of(self, method: str) -> list[float]:
        """Return the label ratios at which a method has finished, ascending."""
        return sorted(label_ratio for name, label_ratio in self.seeds if name == method)

    def label_steps(self, method: str, other: str) -> list[LabelStep]:
        """Compare a method at each label ratio with another one that has the most labels of all."""
        by_ratio = {label_ratio: (method, label_ratio) for label_ratio in self.ratios_of(method)}
        return label_efficiency(self.resampled, by_ratio, (other, self.ratios_of(other)[-1]))

    def enough(self) -> dict[tuple[str, str], float | None]:
        """Return (method, other) -> the smallest label ratio from which on the method is not worse.

        The other one has all labels; methods without a run at the largest ratio are no other one.
        """
        whole = self.label_ratios[-1]
        others = [name for name in self.methods if whole in self.ratios_of(name)]
        return {
            (method, other): enough_labels(self.label_steps(method, other))
            for method in self.methods
            for other in others
            if method != other
        }


def _try_stack(runs: Mapping[int, Run]) -> Stack | None:
    """Return the predictions of one method, or None where they cannot be judged; its summary says why."""
    try:
        return stacked(runs)
    except (ValueError, OSError):
        return None
