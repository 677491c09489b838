"""JupyterLab in a real browser: pages open, run and draw; widgets answer."""

import re
import urllib.error
import urllib.request

import pytest

from tests.workbench.tiny import FINETUNING, PRETRAINING

pytestmark = pytest.mark.browser


def test_the_server_listens_on_loopback_behind_a_token(lab):
    assert lab.about["hostname"] == "127.0.0.1"
    assert len(lab.about["token"]) >= 40
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{lab.about['url']}api/contents")


def test_the_tour_runs_draws_and_answers(lab, put_page, open_page, run_all, tmp_path):
    studies = ["studies=60", "image_size=48"]
    name = put_page(
        "00_tour",
        source_store=str(lab.root / "source"),
        target_store=str(lab.root / "target"),
        source_options=studies,
        target_options=studies,
        image_size=48,
        pretraining_overrides=PRETRAINING,
        finetuning_overrides=FINETUNING,
        label_ratios=[0.1, 1.0],
        seeds=[0],
        workers=0,
    )
    page = open_page(name)
    run_all(page)

    # A study, two sheets, the losses, the result: each with something drawn in it.
    plots = page.locator(".jp-OutputArea .js-plotly-plot")
    assert plots.count() == 5
    assert page.locator(".js-plotly-plot image").count() >= 3

    # The curves of the training came while it ran, from a process that is not the kernel's.
    training = page.locator(".wb-training")
    assert re.match(r"finished \| step 4 \| train loss \d", training.locator(".widget-label").inner_text())
    # Running mean and validation of three losses, which the browser draws some time after they were sent.
    page.wait_for_function(
        """() => {
            const lines = document.querySelectorAll('.wb-training .js-plotly-plot .scatterlayer .js-line');
            return [...lines].filter(line => line.getAttribute('d').length > 5).length >= 6;
        }"""
    )

    # The study browser asks the kernel for the next study.
    browser = page.locator(".wb-study-browser")
    before = browser.locator(".gtitle").text_content()
    browser.locator("button:has(.fa-chevron-right)").click()
    page.wait_for_function(
        "before => document.querySelector('.wb-study-browser .gtitle')?.textContent !== before", arg=before
    )

    shot = tmp_path / "tour.png"
    page.screenshot(path=shot)
    assert shot.stat().st_size > 50_000
