"""A real JupyterLab, started as `workbench lab` starts it, and a real Chromium that looks at it."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import nbformat
import pytest

from workbench.doctor import BROWSERS
from workbench.lab import lab_command
from workbench.notebooks import NOTEBOOKS
from workbench.parameters import read_parameters

FLAGS = (
    "--no-sandbox",  # as root
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
    "--disable-background-networking",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of Chromium; without one the tests are skipped, but fail in continuous integration."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        reason = "no Chromium here; scripts/install_chromium.sh installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield window
        window.close()


class Lab:
    """A running JupyterLab over a folder of notebooks."""

    def __init__(self, root: Path):
        self.root = root
        self.log = root / "lab.log"
        runtime = root / "runtime"
        environment = {
            **os.environ,
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "WORKBENCH_RUNS": str(root / "runs"),
        }
        command = [*lab_command(port=0, open_browser=False, root=root), "--LabApp.expose_app_in_browser=True"]
        with open(self.log, "w") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=root)
        self.about = self._wait_for(runtime)

    def address(self, page: str) -> str:
        """Return the address at which a notebook opens."""
        return f"{self.about['url']}lab/tree/{page}?token={self.about['token']}&reset"

    def stop(self) -> None:
        """End the server and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:  # its kernels end by themselves when it is gone
            self._process.kill()
            self._process.wait()

    def _wait_for(self, runtime: Path) -> dict:
        """Return what the server says about itself, which it does a moment before it listens."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for path in runtime.glob("jpserver-*.json"):
                text = path.read_text()
                if text.endswith("}") and _answers(about := json.loads(text)):
                    return about
            assert self._process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"JupyterLab did not start in a minute:\n{self.log.read_text()}")


def _answers(about: dict) -> bool:
    try:
        socket.create_connection((about["hostname"], about["port"]), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def lab(tmp_path_factory, chromium):
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture
def put_page(lab):
    """Return a function that puts a copy of a notebook, with other parameter values, before the server."""

    def put(name: str, **values) -> str:
        source = NOTEBOOKS / f"{name}.ipynb"
        known = read_parameters(source)
        assert set(values) <= set(known)
        page = nbformat.read(source, as_version=4)
        cell = next(cell for cell in page.cells if "parameters" in cell.metadata.get("tags", ()))
        cell.source = "\n".join(
            f"{one.name}: {one.annotation} = {values.get(one.name, one.default)!r}" for one in known.values()
        )
        nbformat.write(page, lab.root / f"{name}.ipynb")
        return f"{name}.ipynb"

    return put


@pytest.fixture
def open_page(lab, browser):
    """Return a function that opens a notebook in JupyterLab and returns the browser's page."""
    opened = []

    def open_notebook(name: str):
        page = browser.new_page(viewport={"width": 1440, "height": 3000})
        opened.append(page)
        page.goto(lab.address(name))
        page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook", timeout=60_000)
        # Cells that are run before the kernel answers are lost in a dialogue that asks for a kernel.
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )
        return page

    yield open_notebook
    for page in opened:
        page.close()


@pytest.fixture
def run_all():
    """Return a function that runs every cell of the open notebook and waits for the last one."""

    def run(page, seconds: int = 240) -> None:
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        deadline = time.monotonic() + seconds
        while True:
            # Asked of the notebook's model: cells out of sight need not be in the page.
            state = page.evaluate("""() => {
                const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
                const code = cells.filter(cell => cell.type === 'code');
                const failed = code.flatMap(cell => cell.outputs.toJSON()).find(
                    output => output.output_type === 'error');
                return {failed: failed && failed.ename + ': ' + failed.evalue,
                        counts: code.map(cell => cell.executionCount)};
            }""")
            assert not state["failed"], state["failed"]
            if all(state["counts"]):
                return
            assert time.monotonic() < deadline, f"cells have run: {state['counts']}"
            page.wait_for_timeout(250)

    return run


@pytest.fixture
def ask_kernel():
    """Return a function that returns what the kernel of an open page says an expression is."""

    def ask(page, expression: str) -> str:
        return page.evaluate(
            """async code => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({code, store_history: false});
                let said = '';
                future.onIOPub = ({header, content}) => {
                    if (header.msg_type === 'execute_result') said = content.data['text/plain'];
                    if (header.msg_type === 'error') said = content.evalue;
                };
                await future.done;
                return said;
            }""",
            expression,
        )

    return ask
