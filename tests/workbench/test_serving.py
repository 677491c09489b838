"""A served page listens on this machine only, asks for a token, shows given values and trains nothing."""

import nbformat
import pytest

from workbench.notebooks import write_page
from workbench.parameters import read_parameters
from workbench.runs import READ_ONLY, Run
from workbench.serving import serve_command, serve_page


def test_the_server_listens_on_loopback_behind_a_token(tmp_path):
    command = serve_command(tmp_path / "page.ipynb", port=9000, open_browser=False)
    assert "--Voila.ip=127.0.0.1" in command
    assert "--Voila.port=9000" in command
    assert "--Voila.auto_token=True" in command
    assert "--no-browser" in command


def test_a_page_is_written_with_other_values_and_without_outputs(tmp_path):
    path = write_page(
        "06_read_sweep", {"sweep": "sweeps/mine", "num_errors": "3"}, tmp_path / "a" / "p.ipynb"
    )
    page = nbformat.read(path, as_version=4)
    (injected,) = (
        cell.source for cell in page.cells if "injected-parameters" in cell.metadata.get("tags", ())
    )
    assert "sweep = 'sweeps/mine'" in injected.replace('"', "'")
    assert "num_errors = 3" in injected
    assert read_parameters(path)["sweep"].default == "sweeps/table1_phantom"
    assert not [cell for cell in page.cells if cell.get("outputs")]


def test_what_is_no_page_or_no_parameter_is_refused_before_anything_starts():
    with pytest.raises(FileNotFoundError, match="Did you mean '06_read_sweep'"):
        serve_page("06_read_sweeps")
    with pytest.raises(ValueError, match="sweeep"):
        serve_page("06_read_sweep", {"sweeep": "a"})


def test_a_process_that_only_reads_starts_and_resumes_nothing(tmp_path, monkeypatch):
    run = Run.create("refers/phantom", {"task": "pretrain"}, tmp_path)
    monkeypatch.setenv(READ_ONLY, "1")
    with pytest.raises(ValueError, match="no finished run of refers/phantom .* a served page trains none"):
        Run.create("refers/phantom", {"task": "pretrain"}, tmp_path)
    with (
        pytest.raises(ValueError, match=f"{run.id} is created, and a served page trains none"),
        run.recording(),
    ):
        pass
    assert run.state == "created"
    assert len(list(tmp_path.iterdir())) == 1
