"""Parameters cells are read without running them; values are typed by annotation."""

import json

import pytest

from workbench.parameters import Parameter, check_parameters, convert, read_options, read_parameters


def write_notebook(path, source, tags=("parameters",)):
    cell = {
        "cell_type": "code",
        "id": "parameters",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_names_types_defaults_and_help_are_read_in_order(tmp_path):
    path = write_notebook(
        tmp_path / "a.ipynb", "seed: int = 0  # of everything\nratios: list[float] = [0.01, 1.0]\n"
    )
    assert list(read_parameters(path).values()) == [
        Parameter(name="seed", annotation="int", default=0, help="of everything"),
        Parameter(name="ratios", annotation="list[float]", default=[0.01, 1.0]),
    ]


def test_a_notebook_without_a_parameters_cell_has_none(tmp_path):
    assert read_parameters(write_notebook(tmp_path / "a.ipynb", "seed: int = 0", tags=())) == {}


def test_a_parameter_without_annotation_is_refused(tmp_path):
    path = write_notebook(tmp_path / "a.ipynb", "seed: int = 0\nn = 3")
    with pytest.raises(ValueError, match=r"a.ipynb: line 2 .*n = 3"):
        read_parameters(path)


def test_a_file_that_is_no_notebook_is_refused(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text("# %% percent script")
    with pytest.raises(ValueError, match="is not a notebook"):
        read_parameters(path)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        ("int", "7", 7),
        ("int", -1, -1),
        ("float", "1e-4", 1e-4),
        ("float", 2, 2.0),
        ("str", "7", "7"),
        ("bool", "yes", True),
        ("bool", "False", False),
        ("bool", True, True),
        ("list[float]", "0.01,0.1", [0.01, 0.1]),
        ("list[int]", "[0, 1, 2]", [0, 1, 2]),
        ("list[str]", "a", ["a"]),
        ("list[str]", "", []),
        ("list[str]", '["a=[1, 2]", "b"]', ["a=[1, 2]", "b"]),
        ("list[float]", (1, 0.5), [1.0, 0.5]),
    ],
)
def test_values_take_the_type_of_the_parameter(annotation, value, expected):
    result = convert(Parameter(name="p", annotation=annotation, default=None), value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", "many"),
        ("int", 1.5),
        ("int", True),
        ("bool", "maybe"),
        ("bool", 3),
        ("str", 4),
        ("list[int]", "1,x"),
        ("list[int]", "[1"),
    ],
)
def test_values_of_another_type_are_refused(annotation, value):
    with pytest.raises(ValueError, match=f"Parameter p is {annotation.split('[')[0]}"):
        convert(Parameter(name="p", annotation=annotation, default=None), value)


def test_an_unknown_name_is_refused_with_the_closest_known_one(tmp_path):
    path = write_notebook(tmp_path / "a.ipynb", "num_seeds: int = 3\nrecipe: str = 'x'")
    with pytest.raises(ValueError, match=r"no parameter 'numseeds'. Did you mean 'num_seeds'\?.*recipe: str"):
        check_parameters(path, {"numseeds": "3"})


def test_options_are_typed():
    assert read_options(["studies=40", "domain=target", "noise=0.5"]) == {
        "studies": 40,
        "domain": "target",
        "noise": 0.5,
    }


def test_an_option_without_a_value_is_refused():
    with pytest.raises(ValueError, match="'studies' is not of the form KEY=VALUE"):
        read_options(["studies"])
