"""The papermill runner on real kernels."""

import json
import subprocess
import sys

import nbformat
import pytest

from workbench.notebooks import PROJECT, NotebookError, find_notebook, run_notebook


@pytest.fixture
def notebook(tmp_path):
    """Return a function that writes a notebook of one parameters cell and further code cells."""

    def write(*cells, name="page"):
        page = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        )
        page.cells = [nbformat.v4.new_code_cell(source) for source in cells]
        page.cells[0].metadata["tags"] = ["parameters"]
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(page, path)
        return path

    return write


def outputs(path):
    cells = json.loads(path.read_text())["cells"]
    return "".join(
        "".join(output.get("text", ""))
        for cell in cells
        for output in cell.get("outputs", ())
        if "text" in output
    )


def test_parameters_reach_the_kernel_typed_and_the_page_runs_in_the_project(notebook, tmp_path):
    page = notebook(
        "seed: int = 0\nratios: list[float] = [1.0]",
        "import os, sys, lib\nfrom workbench.notebooks import is_headless",
        "print(seed + 1, ratios, os.getcwd(), is_headless(), os.environ['TQDM_DISABLE'])",
    )
    copy = run_notebook(
        str(page), {"seed": "41", "ratios": "0.01,0.1"}, output=tmp_path / "out" / "copy.ipynb"
    )
    assert copy == tmp_path / "out" / "copy.ipynb"
    # No other text: neither a warning of an open TCP port nor a progress bar.
    assert outputs(copy) == f"42 [0.01, 0.1] {PROJECT} True 1\n"
    assert "widgets" not in json.loads(copy.read_text())["metadata"]


def test_an_unknown_parameter_stops_before_anything_runs(notebook, tmp_path):
    page = notebook("seed: int = 0", f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ValueError, match=r"no parameter 'sead'. Did you mean 'seed'"):
        run_notebook(str(page), {"sead": 1}, output=tmp_path / "copy.ipynb")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "copy.ipynb").exists()


def test_a_failing_cell_is_named_and_the_copy_is_kept(notebook, tmp_path):
    page = notebook(
        "seed: int = 0", "ready = True", "# why\nraise KeyError('no such finding')", "print('later')"
    )
    with pytest.raises(
        NotebookError, match=r"Notebook page failed in cell \[3\], .*KeyError: 'no such finding'"
    ):
        run_notebook(str(page), output=tmp_path / "copy.ipynb")
    assert (tmp_path / "copy.ipynb").is_file()


def test_a_cell_that_takes_too_long_is_named(notebook, tmp_path):
    page = notebook("seed: int = 0", "import time\ntime.sleep(60)")
    with pytest.raises(NotebookError, match=r"cell \[2\], 'import time', took more than 1 s"):
        run_notebook(str(page), output=tmp_path / "copy.ipynb", timeout=1)


def test_a_kernel_that_dies_is_reported(notebook, tmp_path):
    page = notebook("seed: int = 0", "import os\nos._exit(9)")
    with pytest.raises(NotebookError, match=r"the kernel died in cell \[2\], 'import os',"):
        run_notebook(str(page), output=tmp_path / "copy.ipynb")


def test_an_unknown_notebook_is_refused_with_the_closest_known_one():
    with pytest.raises(
        FileNotFoundError, match=r"no notebook '00_tuor'. Did you mean '00_tour'\?.*05_finetune"
    ):
        find_notebook("00_tuor")
    assert find_notebook("00_tour") == find_notebook("notebooks/00_tour.ipynb").absolute()


def test_notebooks_that_start_together_do_not_take_each_others_sockets(notebook, tmp_path):
    page = notebook("number: int = 0", "print(number)")
    copies = [tmp_path / str(number) / "copy.ipynb" for number in range(3)]
    code = "from pathlib import Path; from workbench.notebooks import run_notebook as run;"
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"{code} run({str(page)!r}, {{'number': {number}}}, output=Path({str(copy)!r}))",
            ],
            cwd=PROJECT,
        )
        for number, copy in enumerate(copies)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    assert [outputs(copy) for copy in copies] == ["0\n", "1\n", "2\n"]
