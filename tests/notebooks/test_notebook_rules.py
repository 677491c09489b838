"""What every stored notebook keeps to, read without running it."""

import ast
import json

import nbformat
import pytest

from workbench.notebooks import NOTEBOOKS
from workbench.parameters import read_parameters

PAGES = sorted(NOTEBOOKS.glob("*.ipynb"))
FORBIDDEN = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def page(request):
    return request.param


def cells(path):
    return json.loads(path.read_text())["cells"]


def sources(path):
    return ["".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code"]


def test_there_are_pages():
    assert {"00_tour", "01_curate_data", "02_pretrain_refers", "05_finetune"} <= {path.stem for path in PAGES}


def test_it_is_a_valid_notebook_in_plain_ascii(page):
    nbformat.validate(nbformat.read(page, as_version=4))
    assert page.read_text().isascii()


def test_it_is_stored_without_outputs_or_traces_of_a_machine(page):
    for cell in cells(page):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert set(cell["metadata"]) <= {"tags"}
    metadata = json.loads(page.read_text())["metadata"]
    assert set(metadata) <= {"kernelspec", "language_info"}
    assert "version" not in metadata.get("language_info", {})


def test_the_first_code_cell_alone_holds_the_parameters(page):
    tagged = [
        "parameters" in cell["metadata"].get("tags", ())
        for cell in cells(page)
        if cell["cell_type"] == "code"
    ]
    assert tagged[0]
    assert sum(tagged) == 1
    parameters = read_parameters(page)  # raises where one is not an annotated literal
    assert parameters
    assert all(parameter.help for parameter in parameters.values()), "each parameter says what it is for"


def test_it_begins_with_a_title_and_prose_stands_before_every_code_cell(page):
    kinds = [cell["cell_type"] for cell in cells(page)]
    assert "".join(cells(page)[0]["source"]).startswith("# ")
    for before, kind in zip(kinds, kinds[1:], strict=False):
        assert kind != "code" or before == "markdown"


def test_it_is_thin(page):
    code = sources(page)
    assert 8 <= len(code) <= 16
    # Parameters and imports are lists; the other cells call something.
    assert max(len(source.splitlines()) for source in code[2:]) <= 6


def test_nothing_is_defined_and_nothing_loops(page):
    for source in sources(page):
        for node in ast.walk(ast.parse(source)):
            assert not isinstance(node, FORBIDDEN), source


def test_it_imports_in_one_cell_and_only_what_is_ours(page):
    code = sources(page)
    where = [
        index
        for index, source in enumerate(code)
        if any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(ast.parse(source)))
    ]
    assert where == [1]
    for node in ast.walk(ast.parse(code[1])):
        if isinstance(node, ast.ImportFrom):
            assert node.module.split(".")[0] in ("workbench", "lib")
            assert not any(name.name.startswith("_") for name in node.names)
        assert not isinstance(node, ast.Import)
