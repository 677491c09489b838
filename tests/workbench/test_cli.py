"""The command line: quick help, one clear line for what a person did wrong."""

import os
import subprocess
import sys

import pytest

from workbench.command_words import explain, join_pairs
from workbench.notebooks import PROJECT


def workbench(*arguments, **environment):
    """Run the command line as a person does; return its code, output and errors."""
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *arguments],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**os.environ, **environment},
    )
    return done.returncode, done.stdout, done.stderr


def test_help_lists_the_verbs():
    code, out, _ = workbench("--help")
    assert code == 0
    for verb in ("demo", "doctor", "ingest", "run", "train", "results", "lab", "serve"):
        assert f"  {verb} " in out


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from workbench.cli import app; import typer.main; typer.main.get_command(app)\n"
        "heavy = {'torch', 'pandas', 'numpy', 'plotly', 'papermill', 'ipywidgets'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ingest", "phantm", "--out", "x"], "Unknown name 'phantm'. Did you mean 'phantom'?"),
        (["ingest", "openi", "--root", "/no/such/folder", "--out", "x"], "/no/such/folder"),
        (
            ["ingest", "phantom", "--out", "x", "--option", "studies"],
            "'studies' is not of the form KEY=VALUE",
        ),
        (
            ["ingest", "phantom", "--out", "x", "--option", "study=9"],
            "has no option 'study'. Known: studies,",
        ),
        (["run", "00_tuor"], "Did you mean '00_tour'?"),
        (["run", "00_tour", "-p", "recpe", "x"], "has no parameter 'recpe'"),
        (["run", "00_tour", "-p", "recipe"], "give -p recipe VALUE"),
        (["train", "no_such_recipe"], "no_such_recipe"),
        (["results", "--sql", "SELEC 1"], "SELEC"),
        (["judge", "no_such_run", "--queries", "0"], "0 queries and 10 candidates of each class"),
    ],
)
def test_what_a_person_did_wrong_ends_in_one_line_and_code_1(arguments, message):
    code, out, err = workbench(*arguments)
    assert code == 1, err
    assert message in err
    assert err.startswith("workbench: ")
    assert len(err.strip().splitlines()) == 1
    assert out == ""


def test_a_recipe_that_is_no_yaml_ends_in_one_line(tmp_path):
    (tmp_path / "broken.yaml").write_text("task: [pretrain\n")
    code, _, err = workbench("train", str(tmp_path / "broken.yaml"))
    assert code == 1
    assert "broken.yaml" in err
    assert len(err.strip().splitlines()) == 1


def test_a_wrong_call_ends_in_code_2_and_shows_the_usage():
    code, _, err = workbench("ingest", "phantom")
    assert code == 2
    assert "--out" in err
    code, _, err = workbench("serve", "00_tour", "--port", "-1")
    assert code == 2
    assert "--port" in err


def test_debug_shows_where_an_error_came_from():
    for arguments, environment in ((["--debug"], {}), ([], {"WORKBENCH_DEBUG": "1"})):
        code, _, err = workbench(*arguments, "run", "00_tuor", **environment)
        assert code == 1
        assert "Traceback" in err


def test_doctor_reports_this_machine():
    code, out, err = workbench("doctor")
    assert code == ("PROBLEM" in out), err
    assert "torch pair" in out
    assert "lib and workbench from" in out


def test_pairs_behind_p_are_joined():
    assert join_pairs(["run", "x", "-p", "a", "-1", "-p", "b=2", "--output", "c"]) == [
        *("run", "x", "-p", "a=-1", "-p", "b=2", "--output", "c")
    ]
    assert join_pairs(["run", "x", "-p", "a", "k=v"]) == ["run", "x", "-p", "a=k=v"]


def test_errors_of_the_system_name_the_file():
    assert explain(FileNotFoundError(2, "No such file", "a.txt")) == "No such file: a.txt"
    assert explain(ValueError("two\n  lines")) == "two lines"
