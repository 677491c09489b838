import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from workbench.run_config import identity
from workbench.runs import Run, find_finished, find_resumable, list_runs, open_run, scan_runs

PROJECT = Path(__file__).resolve().parents[2]
CONFIG = {
    "recipe": "refers/phantom",
    "task": "pretrain",
    "store": "outputs/stores/a",
    "store_id": "1234",
    "train": {"steps": 10},
}


def test_a_new_run_has_its_name_its_config_and_its_evidence(tmp_path):
    run = Run.create("refers/phantom", CONFIG, tmp_path)
    assert re.fullmatch(r"\d{8}-\d{6}-refers-phantom-[0-9a-f]{4}", run.id)
    assert run.id.endswith(identity(CONFIG)[:4])
    assert Run(run.folder).config == CONFIG
    assert run.state == "created"
    with run.recording(precision="none"):
        assert run.state == "running"
    assert run.state == "finished"
    env = json.loads((run.folder / "env.json").read_text())
    assert env["precision"] == "none" and env["packages"]["torch"] and env["python"] and env["cores"] >= 1
    assert env["git"] is None or re.fullmatch("[0-9a-f]{40}", env["git"]["commit"])
    assert os.uname().nodename not in {env["platform"], *env["packages"].values()}
    assert {"config.yaml", "config.json", "env.json", "status.json"} == set(run.files()["file"])


def test_what_a_person_changes_in_the_config_counts(tmp_path):
    run = Run.create("a", CONFIG, tmp_path)
    path = run.folder / "config.yaml"
    path.write_text(path.read_text().replace("steps: 10", "steps: 11"))
    assert Run(run.folder).config["train"]["steps"] == 11


@pytest.mark.parametrize("name", ["config.yaml", "status.json"])
@pytest.mark.parametrize("text", ["", "[1, 2]", '{"a": ', ": :"])
def test_a_folder_that_cannot_be_read_hides_no_other(tmp_path, name, text):
    broken, whole = Run.create("a", CONFIG, tmp_path), Run.create("b", CONFIG, tmp_path)
    (broken.folder / name).write_text(text)
    runs, unreadable = scan_runs(tmp_path)
    assert [run.id for run in runs] == [whole.id] == [run.id for run in list_runs(tmp_path)]
    assert list(unreadable) == [broken.id] and name in unreadable[broken.id]
    assert find_resumable(CONFIG, tmp_path).id == whole.id


def test_the_place_of_a_file_of_weights_is_a_circumstance_and_its_contents_are_not():
    def config(place: str, **values) -> dict:
        return {**CONFIG, "objective": {"encoder": {"name": "resnet", "weights": place}}, **values}

    first = identity(config("a/resnet.pth", weights_id="12"))
    assert first == identity(config("b/resnet.pth", weights_id="12"))
    assert first != identity(config("a/resnet.pth", weights_id="34"))
    # A run from before there were such ids is not one from random weights.
    assert identity(config("a/resnet.pth")) != identity(config(""))


def test_two_runs_of_one_second_get_two_folders(tmp_path):
    runs = [Run.create("a", CONFIG, tmp_path) for _ in range(3)]
    assert len({run.id for run in runs}) == 3
    assert [run.id for run in list_runs(tmp_path)] == [run.id for run in runs]


def test_a_failed_run_says_why(tmp_path):
    run = Run.create("a", CONFIG, tmp_path)
    with pytest.raises(KeyboardInterrupt), run.recording():
        raise KeyboardInterrupt
    assert run.status["status"] == "failed" and run.status["reason"].startswith("KeyboardInterrupt")
    with pytest.raises(ZeroDivisionError), run.recording():
        1 / 0  # noqa: B018 - for its error
    assert "division by zero" in run.status["reason"]
    assert find_finished(CONFIG, tmp_path) is None
    assert find_resumable(CONFIG, tmp_path).id == run.id


def test_a_killed_run_is_seen_as_killed_and_a_live_one_cannot_be_taken(tmp_path):
    run = Run.create("a", CONFIG, tmp_path)
    script = (
        "import sys, time; from workbench.runs import Run\n"
        "run = Run(sys.argv[1])\n"
        "with run._locked():\n"  # as recording() does, without the seconds of importing torch
        "    run._set_status('running'); print('on', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(run.folder)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "on\n"
        assert run.state == "running"
        assert find_resumable(CONFIG, tmp_path) is None
        with pytest.raises(ValueError, match="Another process is writing run"), run.recording():
            pass
        assert run.state == "running"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    time.sleep(0.05)
    assert run.state == "killed"
    assert find_resumable(CONFIG, tmp_path).id == run.id
    with run.recording():
        pass
    assert find_finished(CONFIG, tmp_path).id == run.id and find_resumable(CONFIG, tmp_path) is None


def test_a_finished_run_is_found_by_what_it_computes_not_by_where_its_inputs_lie(tmp_path):
    run = Run.create("a", CONFIG, tmp_path)
    with run.recording():
        pass
    moved = {**CONFIG, "store": "elsewhere/a", "recipe": "copy"}
    assert find_finished(moved, tmp_path).id == run.id
    for other in ({**CONFIG, "store_id": "9"}, {**CONFIG, "train": {"steps": 11}}):
        assert find_finished(other, tmp_path) is None


@pytest.mark.parametrize("name", ["../x", "..", "/etc", "a/b", "."])
def test_no_path_leaves_the_root(tmp_path, name):
    root = tmp_path / "runs"
    inside = Run.create(name, CONFIG, root)
    assert inside.folder.parent == root
    with pytest.raises(ValueError, match="leads out of"):
        open_run(name, root)
    assert open_run(inside.id, root).id == inside.id


def test_an_unknown_run_is_told_the_closest(tmp_path):
    with pytest.raises(FileNotFoundError, match="not a run folder.*Give the id of a run"):
        open_run("a", tmp_path / "none yet")
    run = Run.create("refers/phantom", CONFIG, tmp_path)
    with pytest.raises(FileNotFoundError, match=f"Did you mean '{run.id}'"):
        open_run(run.id[:-1] + "x", tmp_path)


def test_what_a_run_holds_and_what_it_does_not(tmp_path):
    run = Run.create("a", CONFIG, tmp_path)
    assert run.metrics().empty
    (run.folder / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "loss": null}\n{"st')
    assert run.metrics()["step"].tolist() == [1, 2] and pd.isna(run.metrics()["loss"][1])
    with pytest.raises(FileNotFoundError, match=r"no predictions\.parquet; it is created"):
        run.predictions()
    with pytest.raises(FileNotFoundError, match=r"no result\.json"):
        run.result()
    with pytest.raises(FileNotFoundError, match=r"no config\.yaml"):
        Run(tmp_path)
