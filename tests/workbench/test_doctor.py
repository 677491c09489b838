"""The doctor names what does not fit and what to do."""

import importlib.metadata

import pytest

from workbench.doctor import (
    Check,
    check_devices,
    check_disk,
    check_import,
    check_location,
    check_memory,
    check_pair,
    check_python,
    check_requirements,
    report,
)


def test_an_old_python_is_a_problem():
    assert check_python((3, 10, 2)).state == "problem"
    assert check_python((3, 11, 0)).state == "ok"


def test_the_installed_pair_fits_and_another_one_does_not():
    installed = {name: importlib.metadata.version(name) for name in ("torch", "torchvision")}
    assert check_pair(installed.get).state == "ok"
    older = check_pair((installed | {"torch": "2.1.0"}).get)
    assert older.state == "problem"
    assert "one step from one index" in older.fix
    assert "wants torch" in older.found


def test_builds_for_different_devices_do_not_fit():
    installed = {name: importlib.metadata.version(name) for name in ("torch", "torchvision")}
    assert (
        check_pair((installed | {"torch": installed["torch"].split("+")[0] + "+cpu"}).get).state == "problem"
    )
    assert check_pair((installed | {"torchvision": None}).get).state == "problem"


def write_project(path, base, extra):
    path.write_text(
        f"[project]\ndependencies = {base}\n[project.optional-dependencies]\nnotebooks = {extra}\n",
        encoding="utf-8",
    )
    return path


def test_requirements_that_are_met(tmp_path):
    base, notebooks = check_requirements(write_project(tmp_path / "p.toml", ["numpy>=1"], ["plotly>=5"]))
    assert (base.state, notebooks.state) == ("ok", "ok")


def test_a_missing_base_package_is_a_problem_and_a_missing_extra_a_note(tmp_path):
    missing = ["no-such-package>=1"]
    base, notebooks = check_requirements(write_project(tmp_path / "p.toml", missing, missing))
    assert (base.state, notebooks.state) == ("problem", "note")
    assert notebooks.fix == "pip install --editable '.[notebooks]'"


def test_an_extra_of_the_wrong_version_is_a_problem(tmp_path):
    _, notebooks = check_requirements(write_project(tmp_path / "p.toml", [], ["plotly<1"]))
    assert notebooks.state == "problem"
    assert "<1 wanted" in notebooks.found


def test_a_pair_that_cannot_be_imported_is_a_problem():
    check = check_import({"error": "RuntimeError: operator torchvision::nms does not exist"})
    assert check.state == "problem"
    assert "nms" in check.found


def test_devices_are_listed():
    probed = {"devices": [("NVIDIA H200", 139.8)], "cuda": "13.2"}
    assert check_devices(probed)[1] == Check(name="GPU 0", found="NVIDIA H200, 140 GiB, CUDA 13.2")
    assert check_devices({"devices": []})[1].name == "GPU"


def test_this_project_is_what_import_lib_finds():
    assert check_location().state == "ok"


@pytest.mark.parametrize(("gibibytes", "state"), [(2.0, "problem"), (16.0, "ok")])
def test_memory(gibibytes, state):
    assert check_memory(gibibytes).state == state


def test_a_small_disk_is_a_note(tmp_path):
    assert check_disk(tmp_path, 3.0).state == "note"
    assert check_disk(tmp_path, 300.0).state == "ok"


def test_the_report_holds_every_check_and_every_fix():
    text = report([Check(name="a", found="1"), Check(name="b", found="2", state="problem", fix="mend b")])
    lines = text.splitlines()
    assert [line.split() for line in lines] == [["ok", "a", "1"], ["PROBLEM", "b", "2"], ["->", "mend", "b"]]
