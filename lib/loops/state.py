"""The whole state of a training: what a resumed run needs to go on bit for bit."""

import dataclasses
import math
from pathlib import Path

from torch import nn, optim

from lib.loops.checkpoint import load_state, save_state
from lib.loops.distributed import from_all, is_first, rank
from lib.loops.journal import Journal, LossWindow, NoJournal
from lib.loops.randomness import random_states, restore_random_states
from lib.losses.gather import num_processes


@dataclasses.dataclass
class Progress:
    """What a resumed run goes on with, beside weights, optimizer and random states.

    Attributes:
        step: done so far.
        best_step: whose weights stand in best.safetensors.
        best: the monitored metric there.
        seconds: spent so far.
        stagnant: validations in a row without a new best.
        reductions: of the learning rates, by the schedule "plateau".
    """

    step: int = 0
    best_step: int = 0
    best: float = math.nan
    seconds: float = 0.0
    stagnant: int = 0
    reductions: int = 0


@dataclasses.dataclass
class TrainingState:
    """Everything that has a state; the loader has none, its position follows from the step."""

    objective: nn.Module
    stepper: optim.Optimizer
    journal: Journal | NoJournal
    window: LossWindow

    def save(self, path: Path, settings: dict[str, int], now: Progress) -> None:
        """Write the state; `settings` say which training it belongs to. All processes call this together."""
        states_of_all = from_all(random_states())
        if not is_first():
            return
        epoch, step_in_epoch = divmod(now.step, settings["batches_per_epoch"])
        state = {
            "settings": settings,
            "progress": dataclasses.asdict(now),
            "loader": {"epoch": epoch, "step": step_in_epoch},
            "objective": self.objective.state_dict(),
            "optimizer": self.stepper.state_dict(),
            "window": self.window.state(),
            "journal_size": self.journal.size(),
            "random": states_of_all,
        }
        save_state(path, state)

    def load(self, path: Path, settings: dict[str, int]) -> Progress:
        """Put everything back to where `path` was written; without the file, to the beginning.

        Raises:
            ValueError: the state belongs to another training, or cannot be read.
        """
        if is_first():
            for leftover in path.parent.glob(".*.tmp.*"):  # of a write that was killed
                leftover.unlink()
        if not path.exists():
            self.journal.truncate(0)  # lines of a run that was killed before its first checkpoint
            return Progress()
        state = load_state(path)
        if state["settings"] != settings:
            raise ValueError(
                f"{path} belongs to a run with {state['settings']}, now asked for {settings}. "
                "Start a new run, or resume with the settings of the old one."
            )
        self.objective.load_state_dict(state["objective"])
        self.stepper.load_state_dict(state["optimizer"])
        self.window.load(state["window"], next(self.objective.parameters()).device)
        self.journal.truncate(state["journal_size"])
        if len(state["random"]) == num_processes():
            restore_random_states(state["random"][rank()])
        # Else the training goes on with other dropout than without the break, and the same batches.
        return Progress(**state["progress"])
