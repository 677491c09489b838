"""The page on sweeps in a real browser: a person refreshes it, and opens runs by clicking."""

import pytest
from pointer import rest_box

from tests.tiny_read_sweep import make_sweep
from workbench.sweeps import read_sweep, run_sweep

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sweep(lab):
    """Return a sweep that stands finished before the server; a second seed is run later."""
    folder = lab.root / "swept"
    folder.mkdir()
    return make_sweep(folder, root=lab.root / "runs", seeds=[0], parts=["REFERS"])


def test_a_person_reads_a_sweep(sweep, lab, put_page, open_page, run_all, ask_kernel, tmp_path):
    two = sweep.with_values(lab.root / "two.yaml", methods={"Random": {}}, seeds=[0, 1])
    page = open_page(put_page("06_read_sweep", sweep=two, replicates=50, num_errors=4))
    run_all(page)

    def says(part: str, text: str) -> None:
        page.wait_for_function(
            "([part, text]) => document.querySelector(part)?.textContent.includes(text)", arg=[part, text]
        )

    says(".wb-sweep", "2 of 4 fine-tunings finished")
    says(".wb-tables", "1 of 2 seeds")
    assert ask_kernel(page, "len(monitor.runs)") == "2"

    # What is finished meanwhile is there after a press of the button, in the kernel and on the page.
    page.locator("button:has-text('Follow')").click()
    run_sweep(read_sweep(two), workers=0, root=lab.root / "runs", progress=False)
    page.locator("button:has-text('Refresh')").click()
    says(".wb-sweep", "4 of 4 fine-tunings finished")
    page.wait_for_function("() => !document.querySelector('.wb-tables').textContent.includes('of 2 seeds')")
    assert ask_kernel(page, "len(monitor.runs), monitor.is_over") == "(4, True)"

    # A click on a square opens its run, and so does one on a point of the curves.
    square = ".wb-matrix .js-plotly-plot .scatterlayer .trace:first-child .point"
    before = ask_kernel(page, "monitor.viewer.run.id")
    opened = set()
    for index in (0, 3):
        _click(page, square, index)
        says(".wb-sweep .wb-message", "Open below")
        page.wait_for_timeout(300)
        opened.add(ask_kernel(page, "monitor.viewer.run.id"))
    assert len(opened) == 2 and opened - {before}
    _click(page, ".wb-curves .js-plotly-plot .scatterlayer .trace:last-child .point", -1)
    says(".wb-sweep-curves .wb-message", "Open below")
    last = ask_kernel(page, "monitor.viewer.run.id").strip("'")
    says(".wb-opened", last)
    page.wait_for_selector(".wb-opened .js-plotly-plot .imagelayer image")

    shot = tmp_path / "sweep.png"
    page.screenshot(path=shot)
    assert shot.stat().st_size > 50_000


def _click(page, points: str, index: int) -> None:
    """Click where a point is: plotly listens on a layer above its points."""
    box = rest_box(page, points, index)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.wait_for_timeout(200)  # it learns what is under the pointer before it hears the click
    page.mouse.click(x, y)
