"""What `workbench sweep` does and says."""

import dataclasses
import sys
from collections.abc import Sequence

from lib.config import build
from workbench.parameters import read_options
from workbench.slurm import Slurm
from workbench.sweep_tables import print_sweep
from workbench.sweeps import Cell, Sweep, failures, find_cells, read_sweep, run_sweep
from workbench.table_formats import check_format

INTERRUPTED = 130
"""Exit code of what Ctrl-C ended, as shells give it."""


def do_sweep(
    file: str,
    overrides: Sequence[str],
    table: str,
    *,
    workers: int,
    executor: str = "",
    cluster: str = "",
    settings: Sequence[str] = (),
) -> int:
    """Run a sweep, print its tables, say what is missing.

    Args:
        file: name of a sweep, or a path.
        overrides: of all fine-tunings.
        table: format of the tables.
        workers: runs at a time.
        executor: who does the fine-tunings; empty: as the file says.
        cluster: "slurm", or empty for this machine.
        settings: `KEY=VALUE` of a run on the cluster, above those of the file.

    Returns:
        The exit code: 0 where every cell is finished.
    """
    check_format(table)
    sweep = read_sweep(file)
    slurm = choose_cluster(sweep, cluster, settings)
    try:
        cells = run_sweep(sweep, workers=workers, overrides=overrides, executor=executor, slurm=slurm)
        _print(sweep, cells, table)
    except KeyboardInterrupt as stop:
        said = f": {stop}" if str(stop) else ""
        print(f"workbench: interrupted{said}; the same command goes on.", file=sys.stderr)
        return INTERRUPTED
    failed = failures([one for one in cells if not one.outcome.elsewhere])
    others = failures([one for one in cells if one.outcome.elsewhere])
    if failed:
        print("Failed; the same command does only these again:\n  " + "\n  ".join(failed), file=sys.stderr)
    if others:
        print("Left to another process:\n  " + "\n  ".join(others), file=sys.stderr)
    return 1 if failed or others else 0


def look_at_sweep(file: str, overrides: Sequence[str], table: str) -> int:
    """Print the tables of a sweep as far as it is; return the exit code."""
    check_format(table)
    sweep = read_sweep(file)
    _print(sweep, find_cells(sweep, overrides=overrides), table)
    return 0


def choose_cluster(sweep: Sweep, cluster: str, settings: Sequence[str]) -> Slurm | None:
    """Return what each run asks of the cluster, or None for this machine.

    Raises:
        ValueError: no such cluster or setting, or settings without a cluster.
    """
    if not cluster:
        if settings:
            raise ValueError(f"--slurm {settings[0]} does nothing without --cluster slurm.")
        return None
    if cluster != "slurm":
        raise ValueError(f"Unknown cluster {cluster!r}. Known: slurm.")
    return build(Slurm, {**dataclasses.asdict(sweep.slurm), **read_options(settings)}, where="--slurm")


def _print(sweep: Sweep, cells: Sequence[Cell], table: str) -> None:
    print_sweep(sweep, cells, table)
    finished = sum(one.outcome.run is not None for one in cells)
    print(f"\n{finished} of {len(cells)} fine-tunings are finished.")
