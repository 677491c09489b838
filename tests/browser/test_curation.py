"""The page on curation in a real browser: a person filters, types, steps, and freezes another split."""

import json

import pytest
from tiny_flags import flag_views

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.store import Store
from workbench.manifests import manifest_path

pytestmark = pytest.mark.browser


@pytest.fixture
def store(lab):
    """Return a store of small phantom studies, some of them flagged."""
    path = lab.root / "curated"
    ingest(open_reader("phantom", studies=60, image_size=48), path, image_size=48, workers=0, progress=False)
    store = Store(path)
    copy = int(store.view_offsets[(store.studies["sex"] == "M").to_numpy().nonzero()[0][-1]])
    flag_views(path, {3: "inverted", 41: "inverted", copy: "near_identical"}, twins={copy: 4})
    return Store(path)


def test_a_person_looks_at_studies_and_freezes_another_split(
    store, lab, put_page, open_page, run_all, ask_kernel, tmp_path
):
    options = ["studies=60", "image_size=48"]
    page = open_page(put_page("01_curate_data", store_path=str(store.path), options=options, image_size=48))
    run_all(page)
    assert manifest_path(store, 0).is_file()  # nobody has chosen yet: that of the parameters

    browser = page.locator(".wb-study-browser")

    def says(text: str) -> None:
        page.wait_for_function(
            "text => document.querySelector('.wb-study-browser .wb-caption').textContent.includes(text)",
            arg=text,
        )

    says("of 60 studies")

    # A filter, then a word, which is marked in the report.
    women = int((store.studies["sex"] == "F").sum())
    browser.locator("select:has(option:text-is('every sex'))").select_option(label=f"F ({women})")
    says(f"1 of {women} studies")
    browser.get_by_placeholder("words of the report").fill("heart")
    browser.get_by_placeholder("words of the report").press("Enter")
    hearts = store.studies["findings"] + " " + store.studies["impression"]
    both = int(((store.studies["sex"] == "F") & hearts.str.contains("heart", case=False)).sum())
    says(f"1 of {both} stud")
    page.wait_for_selector(".wb-study .annotation-text tspan[style*='paint-order']")

    # Steps by button and by arrow key.
    before = browser.locator(".wb-study .gtitle").text_content()
    browser.locator("button:has(.fa-chevron-right)").click()
    says(f"2 of {both} stud")
    page.wait_for_function(
        "before => document.querySelector('.wb-study .gtitle')?.textContent !== before", arg=before
    )
    browser.locator(".noUi-handle:not(.noUi-handle-upper)").last.press("ArrowRight")
    says(f"3 of {both} stud")

    # The flagged copy stands beside the earlier picture; the sheet comes when it is asked for.
    flagged = store.flags.loc[store.flags["flag"] == "near_identical", "view_id"].item()
    browser.get_by_placeholder("go to study or patient").fill(flagged)
    browser.get_by_placeholder("go to study or patient").press("Enter")
    says("taken back")  # a man, outside the choice
    page.wait_for_selector(".wb-study :text('the earlier picture')")
    browser.locator("button:has-text('sheet')").click()
    page.wait_for_selector(".wb-sheet .js-plotly-plot image")

    # Another seed, one flag left out, frozen; the kernel goes on with it when the cells below run again.
    maker = page.locator(".wb-manifest-maker")
    seed = maker.locator("input[type=number]").first
    seed.fill("11")
    seed.press("Enter")
    maker.locator("label:has-text('inverted (2)') input").check()
    page.wait_for_selector(".wb-preview :text('seed 11')")
    page.wait_for_selector(".wb-preview :text('left out: inverted')")
    maker.locator("button:has-text('Freeze')").click()
    page.wait_for_selector(".wb-report :text('Frozen:')")
    path = manifest_path(store, 11, ["inverted"])
    frozen = json.loads(path.read_text())
    assert (frozen["seed"], frozen["left_out"]) == (11, ["inverted"])
    assert path.name in maker.locator(".wb-report").inner_text()
    assert ask_kernel(page, "maker.frozen().seed, maker.frozen().left_out") == "(11, ('inverted',))"

    shot = tmp_path / "curation.png"
    page.screenshot(path=shot)
    assert shot.stat().st_size > 50_000
