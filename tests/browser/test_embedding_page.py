"""The page on embeddings in a real browser: a person draws around points, clicks pictures, keeps a list."""

import ast

import pandas as pd
import pytest
from pointer import rest_box

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.store import Store
from workbench.train import pretrain

pytestmark = pytest.mark.browser

SIZES = ("width=32", "depth=1", "num_heads=2", "mlp_width=64")
TINY = [
    *("augment.crop_size=32", "train.autocast=none", "train.log_every=1", "device=cpu"),
    *(f"objective.text.{size}" for size in SIZES),
    "objective.encoder.base_width=4",
    *("objective.max_text_tokens=16", "objective.embedding_width=16", "loader.batch_size=8"),
    *("train.steps=2", "train.validate_every=2", "optimizer.warmup_steps=1"),
]
DRAWN = """() => {
    const plot = document.querySelector('.wb-maps .js-plotly-plot');
    return plot?._fullData?.length === 4 && plot.querySelectorAll('.nsewdrag').length === 2;
}"""
SELECTED = """() => {
    const traces = document.querySelector(".wb-maps .js-plotly-plot")?._fullData;
    return traces && [traces[0], traces[2]].map(trace => trace.selectedpoints?.length);
}"""


@pytest.fixture(scope="module")
def overrides(lab):
    """Return what makes a recipe tiny; its run stands finished before the server."""
    path = lab.root / "mapped"
    reader = open_reader("phantom", studies=90, image_size=48)
    ingest(reader, path, image_size=48, workers=0, progress=False)
    values = [f"store={path}", *TINY]
    pretrain("convirt/phantom", values, root=lab.root / "runs", progress=False)
    return values


def test_a_person_draws_around_points(overrides, lab, put_page, open_page, run_all, ask_kernel, tmp_path):
    name = put_page(
        "08_inspect_embeddings",
        overrides=overrides,
        split="all",
        methods=["pca", "tsne"],
        words="",
        seeds=[0, 1],
    )
    page = open_page(name)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    run_all(page)
    _wait_until_drawn(page, errors)

    def says(text: str) -> None:
        page.wait_for_function(
            "text => document.querySelector('.wb-embedding').textContent.includes(text)", arg=text
        )

    def group() -> list[int]:
        return ast.literal_eval(ask_kernel(page, "sorted(explorer.group.tolist())"))

    def selected(count: int) -> None:
        page.wait_for_function(f"count => ({SELECTED})()?.every(one => one === count)", arg=count)

    store = Store(lab.root / "mapped")
    assert group() == [] and page.locator(".wb-group-sheet img").count() == 0

    # The left half of the first map: the kernel has the group, both maps show it, pictures and words come.
    _lasso(page, 0, [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)])
    says("drawn around on the map of ConVIRT")
    left = group()
    everybody = ast.literal_eval(ask_kernel(page, "len(atlas.pictures)"))
    assert 0 < len(left) < everybody
    selected(len(left))
    page.wait_for_selector(".wb-group-sheet img")
    assert page.locator(".wb-group-sheet img").count() == min(24, len(left))
    page.wait_for_selector(".wb-apart .js-plotly-plot .scatterlayer .point")

    # On the other map another group; the first map shows that one now.
    _lasso(page, 1, [(0.4, 0.02), (0.98, 0.02), (0.98, 0.98), (0.4, 0.98)])
    says("drawn around on the map of random initialisation")
    right = group()
    assert right != left and right
    selected(len(right))

    # Around nothing: it is said, and the group stays, also in the picture.
    _lasso(page, 0, [(0.001, 0.001), (0.012, 0.001), (0.012, 0.012)])
    says("There is no picture inside")
    assert group() == right
    selected(len(right))

    # Another colour, a picture of the sheet, and the list in a file.
    colours = page.locator(".wb-embedding select:has(option:text-is('Cardiomegaly'))")
    colours.select_option(label="Cardiomegaly")
    page.wait_for_function("() => document.querySelector('.wb-legend').textContent.includes('present')")
    _wait_until_drawn(page, [])  # these maps are new ones
    selected(len(right))
    page.locator(".wb-group-sheet button").nth(1).click()
    page.wait_for_selector(".wb-group-sheet .wb-tile.mod-warning >> nth=0")
    page.wait_for_timeout(300)
    assert ask_kernel(page, "explorer.rank") == "1"
    focus = int(ask_kernel(page, "atlas.pictures.table['study_row'].iloc[explorer.focus].item()"))
    page.wait_for_function(
        "text => document.querySelector('.wb-study .gtitle')?.textContent.includes(text)",
        arg=store.studies["study_id"].iloc[focus],
    )

    # Where the model looks: on the study from the beginning, on the pictures of the sheet when asked for.
    seen = "document.querySelector('.wb-study').textContent.includes('Eigen-CAM by ConVIRT')"
    page.wait_for_function(f"() => {seen}")
    tile = "() => document.querySelector('.wb-group-sheet img').src"
    grey = page.evaluate(tile)
    page.locator(".wb-map-controls select").first.select_option(label="maps on study and sheet")
    page.wait_for_function(f"grey => ({tile})() !== grey", arg=grey)
    assert ask_kernel(page, "explorer.overlay.where, explorer.overlay.method") == "('sheet', 'eigen_cam')"
    says("first principal component")
    page.get_by_placeholder("name of the list").fill("the right half")
    page.get_by_placeholder("name of the list").press("Enter")
    page.locator("button:has-text('keep list')").click()
    says("the-right-half.csv")
    (path,) = (lab.root / "runs").glob("*/embedding/lists/the-right-half.csv")
    assert len(pd.read_csv(path)) == int(ask_kernel(page, "len(explorer.studies())"))

    shot = tmp_path / "embedding.png"
    page.screenshot(path=shot)
    assert shot.stat().st_size > 50_000


def _wait_until_drawn(page, errors: list[str]) -> None:
    """Wait for both maps; a person presses the cross where the machine was too slow to start them in time.

    anywidget gives up a widget whose code (plotly's 5 MB) was not read in 2 seconds: it draws, but is deaf.
    """
    for _ in range(4):
        page.wait_for_function(DRAWN, timeout=120_000)
        page.wait_for_timeout(2500)
        if not any("Failed to initialize" in error for error in errors):
            return
        errors.clear()
        page.locator(".wb-embedding button:has(.fa-times)").click()
        page.wait_for_timeout(1000)
    raise AssertionError("The machine is too slow to start a figure.")


def _lasso(page, number: int, corners: list[tuple[float, float]]) -> None:
    """Draw an outline on a map with the mouse, corners as shares of its width and height."""
    box = rest_box(page, ".wb-maps .nsewdrag", number)
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in (*points[1:], points[0]):
        page.mouse.move(*point, steps=4)
    page.mouse.up()
