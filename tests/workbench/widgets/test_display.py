"""One show: live at a browser, static without one."""

import plotly.graph_objects as go
import pytest

from workbench.widgets.display import PLOTLY, figure_bundle, show


@pytest.fixture
def shown(monkeypatch):
    """Return the list of what is displayed; a kernel would send it to the browser."""
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    publisher = CapturingDisplayPublisher(parent=shell)
    monkeypatch.setattr(shell, "display_pub", publisher)
    yield publisher.outputs
    InteractiveShell.clear_instance()


class Both:
    """A view with two forms."""

    def live(self):
        return "<b>live</b>"

    def static(self):
        return "<b>static</b>"


@pytest.mark.parametrize(("headless", "form"), [("1", "static"), ("", "live")])
def test_the_environment_decides_which_form_is_shown(shown, monkeypatch, headless, form):
    monkeypatch.setenv("WORKBENCH_HEADLESS", headless)
    show(Both())
    assert [output["data"]["text/html"] for output in shown] == [f"<b>{form}</b>"]


def test_a_list_is_shown_one_after_the_other(shown):
    show(["<b>one</b>", go.Figure()])
    assert [next(iter(output["data"])) for output in shown] == ["text/plain", PLOTLY]
    assert shown[0]["data"]["text/html"] == "<b>one</b>"


def test_a_figure_is_stored_as_its_json(shown):
    figure = go.Figure(go.Scatter(y=[1, 2])).update_layout(title="Losses<br>note")
    show(figure)
    (output,) = shown
    assert output["data"]["text/plain"] == "Losses"
    assert go.Figure(output["data"][PLOTLY]).data[0].y == (1, 2)


def test_showing_a_figure_loads_no_notebook_library():
    # It would cost every kernel three seconds.
    import subprocess
    import sys

    code = (
        "import sys, plotly.graph_objects as go\n"
        "from workbench.widgets.display import figure_bundle\n"
        "figure_bundle(go.Figure(go.Scatter(y=[1])))\n"
        "sys.exit('nbformat' in sys.modules or 'ipywidgets' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_figure_without_a_title_has_a_name():
    assert figure_bundle(go.Figure())["text/plain"] == "figure"
