"""How fast the box explorer is: opening a thousand cases from their maps, and a step of the threshold.

    python bench/box_explorer.py [--cases 1000] [--size 1024] [--grid 14]

Pictures, boxes and maps are drawn: noise, three readers a case, a random map of the encoder's grid. Opening
is what happens once the maps are in the run's folder: reading them, joining cases and boxes, sorting by IoU,
the figure and the gallery. A step is what the kernel does when a person moves a slider or goes to another
case, until the message to the browser is made. In brackets the seconds of the processor: on a busy machine
they say what an idle core would take. Last, how far the IoU by which cases are sorted lies from that at full
size.
Targets: 3 s for a thousand cases, 100 ms for a step at 1,024 px.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from lib.data.ingest import ingest
from lib.data.study import Box, Study, View
from lib.explain.frame import Frame
from lib.protocols.case_maps import CaseMaps, find_cases
from workbench.widgets.box_explorer import BoxExplorer


class Noise:
    """A picture of coarse noise; all differ, so that ingest finds no copies."""

    def __init__(self, number: int, size: int):
        self.number, self.size = number, size

    def __call__(self) -> np.ndarray:
        """Draw it."""
        coarse = np.random.default_rng(self.number).integers(0, 256, (16, 16), dtype=np.uint8)
        return np.kron(coarse, np.ones((self.size // 16, self.size // 16), np.uint8))


class NoiseStudies:
    """One picture a study with one finding, marked by three readers."""

    name, source, licence, label_noise = "noise", "Drawn by a benchmark.", "none", "None."
    has_reports, label_names = False, ("finding",)

    def __init__(self, number: int, size: int):
        self.number, self.size = number, size

    def __len__(self) -> int:
        """Return how many."""
        return self.number

    def __iter__(self) -> Iterator[Study]:
        """Yield them."""
        random = np.random.default_rng(0)
        for number in range(self.number):
            x, y = random.uniform(0.1, 0.6, 2) * self.size
            width, height = random.uniform(0.05, 0.3, 2) * self.size
            name = f"v{number}"
            yield Study(
                study_id=f"s{number}",
                patient_id=f"p{number}",
                views=(View(view_id=name, position="PA", render=Noise(number, self.size)),),
                boxes=tuple(
                    Box(
                        view_id=name,
                        finding="finding",
                        **{"x0": x + shift, "y0": y, "x1": x + width, "y1": y + height + shift},
                        reader=f"R{reader}",
                    )
                    for reader, shift in enumerate((0.0, 5.0, 9.0), start=1)
                ),
                labels={"finding": 1.0},
            )


def make_source(folder: Path, store: Any, grid: int) -> SimpleNamespace:
    """Return a model whose maps lie in a file, as `workbench.box_reading.map_source.MapSource` has them."""
    cases = find_cases(store, np.arange(len(store.views)), ["finding"])
    maps = np.random.default_rng(1).random((len(cases), grid, grid)) ** 6
    maps /= maps.max((1, 2), keepdims=True)
    frame = Frame(store.image_size, store.image_size * 7 // 8)
    about = {"leak": ""}
    path = folder / "maps.parquet"
    CaseMaps(cases.assign(probability=0.5, peak=1.0), maps.astype(np.float16), frame, about).save(path)
    return SimpleNamespace(
        run=SimpleNamespace(id="bench", folder=folder),
        **{"name": "drawn", "split": "test", "store": store, "targets": ["finding"]},
        **{"methods": ["cam"], "depth": 0, "num_heads": 0},
        maps=lambda *_: CaseMaps.load(path),
    )


def timed(act: Callable[[], Any], times: int = 1) -> str:
    """Return the mean time on the wall and, in brackets, of the processor."""
    wall, own = time.perf_counter(), time.process_time()
    for _ in range(times):
        act()
    wall, own = (time.perf_counter() - wall) / times, (time.process_time() - own) / times
    return f"{1000 * wall:.0f} ms ({1000 * own:.0f} ms)"


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--grid", type=int, default=14)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        reader, folder = NoiseStudies(given.cases, given.size), Path(scratch)
        store = ingest(reader, folder / "noise", image_size=given.size, workers=0, progress=False)
        source = make_source(folder, store, given.grid)
        explorer: BoxExplorer

        def start() -> None:
            nonlocal explorer
            explorer = BoxExplorer([source])
            explorer.figure(), explorer.gallery()

        print(f"{given.cases:,} cases at {given.size} px, maps of {given.grid} x {given.grid}", flush=True)
        print(f"open: {timed(start)}", flush=True)
        shell = explorer.live()
        threshold, place = shell.children[2].children[0], shell.children[3].children[1]
        levels, places = iter(np.linspace(0.3, 0.7, 20)), iter(range(1, 12))
        print(f"a step of the threshold: {timed(lambda: threshold.set_trait('value', next(levels)), 20)}")
        print(f"another case: {timed(lambda: place.set_trait('value', next(places)), 10)}")
        cases = explorer.rows[:: max(1, given.cases // 100)]
        quick = explorer.table.quick_iou(0, cases, explorer.reading)
        exact = [explorer.table.read(0, case, explorer.reading).iou for case in cases.tolist()]
        apart = np.abs(quick - exact)
        print(f"IoU at sorting and at full size: {apart.mean():.3f} apart, at most {apart.max():.3f}")


if __name__ == "__main__":
    main()
