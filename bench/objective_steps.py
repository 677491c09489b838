"""Time a pre-training step of every objective against what its image encoder costs alone.

    python bench/objective_steps.py [--kind phantom] [--only model_genesis] [--batch N] [--rounds 25]

A step is forward, backward, clipping and the optimizer, on random pictures that are on the device already,
with the recipe of that kind (refers/phantom, baselines/simclr_phantom). The encoder's own cost is a forward
pass over all that a step lets it encode, and a backward pass where the step needs one: a teacher's pictures
take none. Both are timed in turn, so that what else the machine does meets both. On a CPU with one thread
(OMP_NUM_THREADS=1) it is the process's own time that counts, which others that work at the same time touch
less; otherwise the clock's. Prints the median ratio of the pairs, the half of them in the middle, and the
median milliseconds of both. Target for objectives that read pictures alone: at most 1.3.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from lib.data.batch import Batch
from lib.loops.memory import keep_freed_memory
from lib.loops.optimizer import OptimizerConfig, clip_gradients, make_optimizer
from lib.objectives import OBJECTIVES
from lib.registry import resolve
from workbench.recipe import Recipe, known_recipes
from workbench.sections import LoaderConfig, TokenizerConfig, make_objective, read_objective

NUM_LABELS = 14
TARGET = 1.3
WARM_UP = 2
"""Rounds before those that are timed."""


def find_recipe(name: str, kind: str) -> Recipe | None:
    """Return the recipe of an objective and a kind, None where there is none."""
    for short in (f"{name}/{kind}", f"baselines/{name}_{kind}"):
        if short in known_recipes():
            return Recipe.read(short)
    return None


def make(name: str, recipe: Recipe, batch_size: int, device: torch.device) -> tuple[nn.Module, Batch]:
    """Build the objective of a recipe and a random batch for it."""
    values = read_objective(recipe["objective"], where=recipe.name)
    if "labels" in values:
        values["labels"] = values["targets"] = [f"label {number}" for number in range(NUM_LABELS)]
    vocabulary = range(recipe.section("tokenizer", TokenizerConfig).vocab_size)
    torch.manual_seed(0)
    objective = make_objective(values, {"report": vocabulary, "text": vocabulary}).to(device)
    views = values.get("num_views", 1) * getattr(resolve(name, OBJECTIVES), "crops", 1)
    return objective, make_batch(values, objective.encoder, batch_size, views, len(vocabulary), device)


def make_batch(
    values: dict[str, Any],
    encoder: nn.Module,
    num_studies: int,
    num_views: int,
    vocabulary: int,
    device: torch.device,
) -> Batch:
    """Make a batch of random pictures whose reports fill all tokens."""
    size, reads = encoder.image_size, resolve(values["name"], OBJECTIVES).reads
    fields = {}
    if "report" in reads:
        shape = (num_studies, values["max_report_tokens"])
        fields["report_tokens"] = torch.randint(5, vocabulary, shape)
        fields["report_lengths"] = torch.full(shape[:1], shape[1])
    if "text" in reads:
        shape = (num_studies, values["max_text_tokens"])
        fields["text_tokens"] = torch.randint(5, vocabulary, shape)
        fields["text_mask"] = torch.ones(shape, dtype=torch.bool)
    return Batch(
        images=torch.rand(num_studies, num_views, encoder.in_channels, size, size) * 4 - 2,
        view_mask=torch.ones(num_studies, num_views, dtype=torch.bool),
        labels=torch.randint(2, (num_studies, NUM_LABELS)).float(),
        study_rows=torch.arange(num_studies),
        view_rows=torch.arange(num_studies * num_views).view(num_studies, num_views),
        flipped=torch.zeros(num_studies, dtype=torch.bool),
        words=torch.zeros(num_studies, num_views, dtype=torch.int64),
        **fields,
    ).to(device)


def make_step(objective: nn.Module, batch: Batch, config: OptimizerConfig) -> Callable[[], None]:
    """Return a function that makes one training step."""
    optimizer = make_optimizer(objective, config)

    def step() -> None:
        losses = objective(batch)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        clip_gradients(objective, config.clip_norm)
        optimizer.step()

    return step


def make_own(objective: nn.Module, step: Callable[[], None]) -> tuple[Callable[[], None], list[int]]:
    """Return a function that only encodes, as a step does, and numbers of pictures: learnt from and not."""
    calls: list[tuple[nn.Module, torch.Tensor, bool]] = []

    def record(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        calls.append((module, inputs[0].detach().clone(), torch.is_grad_enabled()))

    encoders = [module for module in objective.modules() if type(module) is type(objective.encoder)]
    hooks = [encoder.register_forward_pre_hook(record) for encoder in encoders]
    step()
    for hook in hooks:
        hook.remove()

    def own() -> None:
        objective.encoder.zero_grad()
        for encoder, images, has_gradient in calls:
            with torch.set_grad_enabled(has_gradient):
                output = encoder(images)
            if has_gradient:
                output.pooled.square().mean().backward()

    counts = [sum(len(images) for _, images, has in calls if has is wanted) for wanted in (True, False)]
    return own, counts


def seconds(work: Callable[[], None], device: torch.device) -> float:
    """Return how long something takes, the device's queue included."""
    is_alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if is_alone else time.perf_counter
    start = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - start


def describe(pairs: list[tuple[float, float]]) -> str:
    """Say how the seconds of steps compare with those of the encoder alone, two or more pairs of them."""
    low, median, high = statistics.quantiles([step / own for step, own in pairs], n=4, method="inclusive")
    step, own = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
    return f"{median:.2f} (half within {low:.2f} to {high:.2f}) times its encoder: {step:.1f} of {own:.1f} ms"


def main() -> None:
    """Measure every objective and print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", default="phantom", help="of the recipes")
    parser.add_argument("--only", nargs="+", choices=sorted(OBJECTIVES), default=sorted(OBJECTIVES))
    parser.add_argument("--batch", type=int, help="studies; that of the recipe")
    parser.add_argument("--rounds", type=int, default=25, help="of both in turn, 2 or more")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    device = torch.device(given.device)
    if device.type == "cpu":
        keep_freed_memory()  # as a training does
    print(f"{torch.get_num_threads()} CPU threads, {device}")
    for name in given.only:
        recipe = find_recipe(name, given.kind)
        if recipe is None:
            print(f"{name:20} no recipe of kind {given.kind}")
            continue
        batch_size = given.batch or recipe.section("loader", LoaderConfig).batch_size
        objective, batch = make(name, recipe, batch_size, device)
        step = make_step(objective, batch, recipe.section("optimizer", OptimizerConfig))
        own, (learnt, only_encoded) = make_own(objective, step)
        for _ in range(WARM_UP):
            step(), own()
        pairs = [(seconds(step, device), seconds(own, device)) for _ in range(given.rounds)]
        verdict = "reads text, no target" if resolve(name, OBJECTIVES).reads else f"target {TARGET}"
        print(
            f"{name:20} {describe(pairs)} over {learnt} + {only_encoded} pictures of "
            f"{objective.encoder.image_size} px; {verdict}",
            flush=True,
        )


if __name__ == "__main__":
    main()
