"""One training in several processes of this machine: this one is the first and starts the others.

`torchrun -m workbench train RECIPE` does the same across machines. The processes here meet through a file
and talk over the loopback interface, so that nothing listens to the network.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from lib.loops.distributed import joined
from workbench.launch import end_of_log
from workbench.runs import Run

FAREWELL_SECONDS = 20
"""How long the others may take to end after this one."""

GONE_SECONDS = 5
"""How long one that has closed its connection may take to be seen as ended."""


@contextlib.contextmanager
def together(run: Run, num_processes: int) -> Iterator[None]:
    """Be the first of several processes that train a run; the others end with the block.

    Args:
        run: what to train; the others read everything from its folder and write only a log there.
        num_processes: how many in all; they share the cores.

    Raises:
        ChildProcessError: another process failed; quotes the end of its log.
    """
    cores_before = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder, _on_loopback() as environment:
        meeting = f"file://{folder}/meeting"
        others = [_start(run, meeting, rank, num_processes, environment) for rank in range(1, num_processes)]
        torch.set_num_threads(threads_each(num_processes))
        try:
            with joined(meeting=meeting, rank=0, world_size=num_processes):
                yield
        except RuntimeError as error:  # what torch raises where another process has gone
            for rank, other in enumerate(others, start=1):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    if other.wait(GONE_SECONDS):
                        raise ChildProcessError(_failure(run, rank, num_processes)) from error
            raise
        finally:
            torch.set_num_threads(cores_before)
            _end(others)


def threads_each(num_processes: int) -> int:
    """Return how many cores each of the processes takes."""
    return max(1, len(os.sched_getaffinity(0)) // num_processes)


def _start(
    run: Run, meeting: str, rank: int, num_processes: int, environment: dict[str, str]
) -> subprocess.Popen:
    command = [sys.executable, "-m", "workbench.processes", str(run.folder), meeting, str(rank)]
    with open(_log(run, rank), "w") as log:
        return subprocess.Popen(
            [*command, str(num_processes)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )


def _failure(run: Run, rank: int, num_processes: int) -> str:
    log = _log(run, rank)
    return f"Process {rank} of {num_processes} failed. The end of {log}:\n{end_of_log(log)}"


def _log(run: Run, rank: int) -> Path:
    return run.folder / f"process-{rank}.txt"


@contextlib.contextmanager
def _on_loopback() -> Iterator[dict[str, str]]:
    """Let gloo, which reads the environment, take the loopback interface; yield what others inherit."""
    name = "GLOO_SOCKET_IFNAME"
    before = os.environ.get(name)
    os.environ[name] = next(found for _, found in socket.if_nameindex() if found.startswith("lo"))
    try:
        yield {**os.environ, "TQDM_DISABLE": "1"}
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _end(others: Sequence[subprocess.Popen]) -> None:
    for other in others:
        try:
            other.wait(FAREWELL_SECONDS)
        except subprocess.TimeoutExpired:
            other.kill()
            other.wait()


def main(arguments: Sequence[str]) -> None:
    """Be one of the others: run folder, meeting, rank, number of processes."""
    from workbench.train import resume

    run, meeting, rank, num_processes = Run(Path(arguments[0])), *arguments[1:]
    torch.set_num_threads(threads_each(int(num_processes)))
    with joined(meeting=meeting, rank=int(rank), world_size=int(num_processes)):
        resume(run, progress=False)


if __name__ == "__main__":
    main(sys.argv[1:])
