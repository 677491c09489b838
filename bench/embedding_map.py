"""20,000 points on two maps: how long a browser takes to draw and to lasso them, and the kernel to answer.

    python bench/embedding_map.py [--points 20000] [--repeats 3]

The browser is headless Chromium with software WebGL, the slowest there is: a figure of two maps is drawn, the
mouse draws around half of the first one, and the clock runs until plotly tells which points are inside. The
kernel's part is what a lasso asks of Python besides pictures: the order of the group, its words and traits.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lib.embedding.words import ReportTerms
from workbench.doctor import BROWSERS
from workbench.embedding_reading import groups
from workbench.embedding_reading.colours import Colouring
from workbench.figures.embedding import maps_figure

FLAGS = ("--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-background-networking")
SENTENCES = (
    "There is a small left pleural effusion.",
    "No pleural effusion or pneumothorax.",
    "The heart is enlarged.",
    "The heart size is normal.",
    "Bibasilar atelectasis is seen.",
    "The lungs are clear.",
)


def make_maps(points: int) -> tuple[list[np.ndarray], Colouring]:
    """Return two maps of heaps, and a colouring of seven classes."""
    random = np.random.default_rng(0)
    heap = random.integers(7, size=points)
    middles = 10 * random.normal(size=(2, 7, 2))
    maps = [(middle[heap] + random.normal(size=(points, 2))).astype(np.float32) for middle in middles]
    return maps, Colouring("heap", tuple("abcdefg"), heap)


def measure_browser(maps: list[np.ndarray], colouring: Colouring, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of drawing and of a lasso in Chromium; none where it is missing."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        print("no Chromium here; scripts/install_chromium.sh installs it")
        return {}
    from playwright.sync_api import sync_playwright

    hover = [""] * len(maps[0])
    figure = maps_figure(maps, ["one", "two"], colouring, hover, has_legend=False)
    seconds: dict[str, list[float]] = {"draw": [], "lasso": []}
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        path = Path(scratch) / "maps.html"
        html = figure.to_html(include_plotlyjs=True, div_id="maps")
        path.write_text(
            html.replace("Plotly.newPlot(", "window.began = performance.now(); Plotly.newPlot(", 1)
        )
        window = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        for _ in range(repeats):
            page = window.new_page(viewport={"width": 1100, "height": 700})
            page.goto(path.as_uri())
            page.wait_for_function("document.querySelector('#maps')?._fullLayout?._initialAutoSizeIsDone")
            page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            seconds["draw"].append(page.evaluate("performance.now() - window.began") / 1000)
            page.evaluate(
                "document.querySelector('#maps').on('plotly_selected', "
                "event => { window.inside = event.points.length; window.told = performance.now(); })"
            )
            box = page.locator(".nsewdrag").first.bounding_box()
            corners = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98), (0.02, 0.02)]
            places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
            page.mouse.move(*places[0])
            page.mouse.down()
            for place in places[1:]:
                page.mouse.move(*place, steps=3)
            before = page.evaluate("performance.now()")
            page.mouse.up()
            page.wait_for_function("window.inside > 0", timeout=120_000)
            seconds["lasso"].append((page.evaluate("window.told") - before) / 1000)
            inside = page.evaluate("window.inside")
            page.close()
        window.close()
    print(f"{inside:,} of {len(maps[0]):,} points were inside")
    return seconds


def measure_kernel(points: int, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of what a lasso around a tenth of the points asks of Python."""
    random = np.random.default_rng(0)
    features = random.normal(size=(points, 256)).astype(np.float32)
    texts = [" ".join(random.permutation(SENTENCES)[:3]) for _ in range(points)]
    known = {
        f"finding {number}": Colouring(
            f"finding {number}", ("present", "absent"), (random.random(points) > 0.1).astype(int)
        )
        for number in range(14)
    }
    terms = ReportTerms(texts)
    group = np.arange(points // 10)
    inside = np.isin(np.arange(points), group)
    seconds: dict[str, list[float]] = {"kernel": []}
    for _ in range(repeats):
        start = time.perf_counter()
        groups.typical_first(features, group)
        terms.apart(inside)
        groups.telling_traits(known, group, points)
        seconds["kernel"].append(time.perf_counter() - start)
    return seconds


def main() -> None:
    """Print the best and the median of each part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    maps, colouring = make_maps(given.points)
    seconds = measure_browser(maps, colouring, given.repeats) | measure_kernel(given.points, given.repeats)
    table = pd.DataFrame(
        {name: {"best": min(one), "median": np.median(one)} for name, one in seconds.items()}
    )
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
