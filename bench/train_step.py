"""Time one training step of full-size REFERS: ViT-B/16, 224 px, BERT-base, 100 tokens, vocabulary 10,000.

    python bench/train_step.py [--precision fp32 bf16] [--preset paper] [--batch 4] [--views 3] [--steps 2]

Prints, for each precision, studies a second, the parts of the step, the achieved matrix throughput beside the
peak that one large product reaches in the same run, and the memory. The weights are random, the reports full.
"""

import argparse
import resource
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from lib.data.batch import Batch
from lib.loops.optimizer import OptimizerConfig, clip_gradients, make_optimizer
from lib.loops.precision import autocast
from lib.models.presets import PRESETS
from lib.objectives.refers import REFERS, REFERSConfig

REPORT_VOCAB, TEXT_VOCAB = 10_000, 28_996
PARTS = ("forward", "backward", "optimizer")


def make_batch(num_studies: int, objective: REFERS, device: torch.device) -> Batch:
    """Make a batch of random studies whose reports fill all tokens."""
    config, encoder = objective.config, objective.encoder
    size, views = encoder.image_size, config.num_views

    def tokens(length: int, vocabulary: int) -> torch.Tensor:
        return torch.randint(5, vocabulary, (num_studies, length), device=device)

    return Batch(
        images=torch.randn(num_studies, views, encoder.in_channels, size, size, device=device),
        view_mask=torch.ones(num_studies, views, dtype=torch.bool, device=device),
        labels=torch.empty(num_studies, 0, device=device),
        study_rows=torch.arange(num_studies, device=device),
        view_rows=torch.arange(num_studies * views, device=device).view(num_studies, views),
        flipped=torch.zeros(num_studies, dtype=torch.bool, device=device),
        report_tokens=tokens(config.max_report_tokens, REPORT_VOCAB),
        report_lengths=torch.full((num_studies,), config.max_report_tokens, device=device),
        text_tokens=tokens(config.max_text_tokens, TEXT_VOCAB),
        text_mask=torch.ones(num_studies, config.max_text_tokens, dtype=torch.bool, device=device),
    )


def matmul_peak(dtype: torch.dtype, device: torch.device) -> float:
    """Return the FLOP/s of the largest product of the encoder, best of ten."""
    rows, width, mlp_width = 12 * 197, 768, 3072
    left = torch.randn(rows, width, dtype=dtype, device=device)
    right = torch.randn(width, mlp_width, dtype=dtype, device=device)
    best = min(seconds(lambda: left @ right, device) for _ in range(10))
    return 2 * rows * width * mlp_width / best


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return how long something takes, the device's queue included."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def time_steps(
    objective: REFERS, batch: Batch, precision: str, num_steps: int
) -> tuple[dict[str, float], int]:
    """Return the seconds of each part of the fastest step, and the operations of a step.

    A first step, which is not timed, warms up and is counted.
    """
    device = batch.images.device
    optimizer = make_optimizer(objective, OptimizerConfig())
    losses: list[torch.Tensor] = []

    def forward() -> None:
        with autocast(precision, device):
            losses[:] = objective(batch).values()

    def step() -> None:
        clip_gradients(objective, 10.0)
        optimizer.step()
        optimizer.zero_grad()

    works = (forward, lambda: sum(losses).backward(), step)
    with FlopCounterMode(display=False) as counter:
        for work in works:
            work()
    steps = [[seconds(work, device) for work in works] for _ in range(num_steps)]
    return dict(zip(PARTS, min(steps, key=sum), strict=True)), counter.get_total_flops()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=("fp32", "bf16"))
    parser.add_argument("--preset", choices=tuple(PRESETS), default="paper")
    parser.add_argument("--batch", type=int, default=4, help="studies")
    parser.add_argument("--views", type=int, default=3, help="of a study")
    parser.add_argument("--steps", type=int, default=2, help="timed; the fastest counts")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()

    device = torch.device(arguments.device)
    config = REFERSConfig(preset=arguments.preset, num_views=arguments.views)
    torch.manual_seed(0)
    with device:
        objective = REFERS(config, REPORT_VOCAB, TEXT_VOCAB)
    batch = make_batch(arguments.batch, objective, device)
    num_parameters = sum(parameter.numel() for parameter in objective.parameters())
    print(f"REFERS, preset {arguments.preset}: {num_parameters:,} parameters, {arguments.batch} studies of")
    print(f"{arguments.views} views, {torch.get_num_threads()} CPU threads, {device}")

    rates = {}
    for precision in arguments.precision:
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
        setting = {"fp32": "none", "bf16": "bf16"}[precision]
        parts, flops = time_steps(objective, batch, setting, arguments.steps)
        total, peak = sum(parts.values()), matmul_peak(dtype, device)
        rates[precision] = arguments.batch / total
        spent = ", ".join(f"{name} {value:.2f} s" for name, value in parts.items())
        print(
            f"{precision}: {rates[precision]:.2f} studies/s ({spent}); {flops / 1e12:.2f} TFLOP a step at "
            f"{flops / total / 1e9:.0f} GFLOP/s, one product alone {peak / 1e9:.0f}",
            flush=True,
        )
    if len(rates) == 2:
        print(f"bf16 / fp32: {rates['bf16'] / rates['fp32']:.2f}")
    if device.type == "cuda":
        print(f"peak memory: {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB on the device")
    else:
        print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


if __name__ == "__main__":
    main()
