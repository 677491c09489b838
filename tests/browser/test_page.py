"""The page of the demo in a real browser: drawn, without asking anybody for anything."""

import pandas as pd
import pytest

from workbench.figures.page import Section, write_page
from workbench.figures.results import auroc_by_label_ratio

pytestmark = pytest.mark.browser


def test_it_draws_offline_and_asks_for_nothing(browser, tmp_path):
    summary = pd.DataFrame(
        {"method": ["random", "refers"], "label_ratio": 0.1, "auroc": [0.6, 0.7], "low": 0.5, "high": 0.8}
    )
    sections = [
        Section(heading="Figure", prose="a < b", content=auroc_by_label_ratio(summary, note="phantom")),
        Section(heading="Again", prose="", content=auroc_by_label_ratio(summary)),
        Section(heading="Table", prose="", content=summary),
    ]
    write_page(tmp_path / "index.html", "A <page>", "Synthetic studies.", sections)

    context = browser.new_context(offline=True)
    page = context.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto((tmp_path / "index.html").as_uri())
    page.wait_for_selector(".js-plotly-plot .scatterlayer .point")

    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
    assert complaints == []
    assert page.locator("h1").inner_text() == "A <page>"
    assert page.locator(".js-plotly-plot").count() == 2
    assert page.locator("table td").first.inner_text() == "random"
    context.close()
