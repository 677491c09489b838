"""The page on boxes in a real browser: a person moves sliders, clicks places and cases, uses keys, saves."""

import pytest
from pointer import rest_box

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from tests.workbench.tiny import FINETUNING
from workbench.train import finetune

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run(lab):
    """Return a fine-tuning of a few steps that stands finished before the server."""
    path = lab.root / "marked"
    reader = open_reader("phantom", studies=60, image_size=48)
    ingest(reader, path, image_size=48, workers=0, progress=False)
    given = [f"store={path}", *FINETUNING]
    return finetune("finetune/phantom", given, root=lab.root / "runs", progress=False)


def test_a_person_explores_boxes(run, put_page, open_page, run_all, ask_kernel, tmp_path):
    page = open_page(put_page("09_explore_attention_boxes", runs=[run.id], replicates=50, threshold=0.5))
    run_all(page)
    explorer = page.locator(".wb-box-explorer")
    explorer.scroll_into_view_if_needed()

    def says(text: str, part: str = ".wb-caption") -> None:
        page.wait_for_function(
            "([part, text]) => document.querySelector('.wb-box-explorer ' + part).textContent.includes(text)",
            arg=[part, text],
        )

    def comes_true(expression: str) -> None:
        for _ in range(100):
            if ask_kernel(page, expression) == "True":
                return
            page.wait_for_timeout(100)
        state = ask_kernel(page, "explorer.reading, explorer.attended, explorer.table.method, explorer.place")
        raise AssertionError(f"{expression} does not come true: {state}")

    # Two pictures and a map, boxes of readers, sixteen cases in small.
    page.wait_for_selector(".wb-case .js-plotly-plot .imagelayer image")
    page.wait_for_selector(".wb-gallery .js-plotly-plot image")
    says("case 1 of")
    assert page.locator(".wb-case .imagelayer image").count() >= 3

    # The threshold by the slider: the boxes move in the page, the order stays until it is asked for.
    found = "document.querySelector('.wb-case .js-plotly-plot').data.at(-6).x.length"
    handle = explorer.locator(".noUi-handle").nth(2)
    before = float(ask_kernel(page, "explorer.reading.threshold"))
    for _ in range(5):
        handle.press("ArrowRight")
    comes_true(f"explorer.reading.threshold > {before}")
    says("threshold 0.50")
    assert page.evaluate(found) >= 1
    explorer.locator("button:has-text('sort again')").click()
    says(f"threshold {float(ask_kernel(page, 'explorer.reading.threshold')):.2f}")

    # By button, by a click on a small picture.
    explorer.locator("button:has(.fa-chevron-right)").click()
    says("case 2 of")
    last = min(8, int(ask_kernel(page, "len(explorer.rows)")))  # in the first row
    _click(page, ".wb-gallery", ".imagelayer image", ((last - 0.5) / last, 0.2))
    says(f"case {last} of")
    assert ask_kernel(page, "explorer.place + 1") == str(last) != "2"

    # A click on a place shows what it attends to; Escape takes it back; arrows step and move the threshold.
    _click(page, ".wb-case", ".drag.nsewdrag")
    comes_true("explorer.attended is not None")
    page.wait_for_selector(".wb-case :text('attends to')")
    page.keyboard.press("Escape")
    comes_true("explorer.attended is None")
    page.keyboard.press("ArrowLeft")
    says(f"case {last - 1} of")
    level = float(ask_kernel(page, "explorer.reading.threshold"))
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    comes_true(f"abs(explorer.reading.threshold - {level - 0.15}) < 0.001")
    cells = "window.jupyterapp.shell.currentWidget.content.model.cells.length"
    number = page.evaluate(cells)
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert page.evaluate(cells) == number  # JupyterLab would have deleted the cell

    # Another method is computed, what cannot be found is said, what is kept is written.
    explorer.locator("select:has(option:text-is('attention rollout'))").select_option(
        label="attention rollout"
    )
    comes_true("explorer.table.method == 'rollout'")
    name = explorer.get_by_placeholder("view, study or patient")
    name.fill("nobody")
    name.press("Enter")
    says("There is no view, study or patient 'nobody'", ".wb-message")
    explorer.locator("button:has-text('save')").click()
    says("Written:", ".wb-message")
    assert {path.suffix for path in (run.folder / "localized/explored").iterdir()} == {".png", ".csv"}

    shot = tmp_path / "boxes.png"
    page.screenshot(path=shot)
    assert shot.stat().st_size > 50_000


def _click(page, figure: str, part: str, where: tuple[float, float] = (0.5, 0.5)) -> None:
    """Click in a part of a figure, once plotly has learnt what is under the pointer and says so."""
    for _ in range(40):
        box = rest_box(page, f"{figure} {part}", -1)
        x, y = box["x"] + where[0] * box["width"], box["y"] + where[1] * box["height"]
        page.mouse.move(x - 3, y)
        page.mouse.move(x, y)
        page.wait_for_timeout(300)
        if page.locator(f"{figure} .hoverlayer .hovertext").count():
            page.mouse.click(x, y)
            return
    raise AssertionError(f"nothing is under the pointer in {figure}")
