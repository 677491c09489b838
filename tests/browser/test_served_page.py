"""A served page in a real browser: without a token nothing, with it an explorer that answers, and no code."""

import os
import re
import socket
import subprocess
import time
import urllib.request

import pytest

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from tests.workbench.tiny import FINETUNING
from workbench.notebooks import write_page
from workbench.runs import READ_ONLY
from workbench.serving import serve_command
from workbench.train import finetune

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory, chromium):
    """Return where the page on boxes of a tiny fine-tuning is served."""
    root = tmp_path_factory.mktemp("served")
    reader = open_reader("phantom", studies=60, image_size=48)
    ingest(reader, root / "marked", image_size=48, workers=0, progress=False)
    given = [f"store={root / 'marked'}", *FINETUNING]
    run = finetune("finetune/phantom", given, root=root / "runs", progress=False)
    values = {"runs": [run.id], "replicates": 50, "threshold": 0.5}
    page = write_page("09_explore_attention_boxes", values, root / "page.ipynb")
    told = {
        READ_ONLY: "1",
        "WORKBENCH_RUNS": str(root / "runs"),
        "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
    }
    log = root / "voila.log"
    with open(log, "w") as file:
        server = subprocess.Popen(
            serve_command(page, port=_free_port(), open_browser=False),
            stdout=file,
            stderr=file,
            cwd=root,
            env={**os.environ, **told},
        )
    yield _wait_for(log, server)
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def test_a_colleague_explores_boxes_without_code(address, browser):
    with urllib.request.urlopen(address.partition("?")[0]) as answer:
        assert "/login" in answer.url  # without the token: a question for it

    page = browser.new_page(viewport={"width": 1280, "height": 2000})
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".wb-box-explorer .wb-case .js-plotly-plot .imagelayer image", timeout=240_000)
    caption = ".wb-box-explorer .wb-caption"
    assert "case 1 of" in page.locator(caption).text_content()
    page.locator(".wb-box-explorer button:has(.fa-chevron-right)").click()
    page.wait_for_function("at => document.querySelector(at).textContent.includes('case 2 of')", arg=caption)
    assert page.locator(".jp-CodeMirrorEditor, .jp-InputArea-editor").count() == 0
    assert "finished_runs" not in page.content()
    page.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait_for(log, server) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found := re.search(r"http://127\.0\.0\.1:\d+/\?token=\w+", log.read_text()):
            return found[0]
        assert server.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(f"Nothing was served in two minutes:\n{log.read_text()}")
