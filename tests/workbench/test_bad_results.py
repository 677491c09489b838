"""Run folders that are wrong in some way: named with the file and the fix, and nothing else is affected."""

import json

import numpy as np
import pandas as pd
import pytest
from tiny_results import write_run

from workbench.results import findings, print_results, query, summary, table

METHODS = ("random", "refers")


@pytest.fixture
def runs(tmp_path):
    """Return two methods with two seeds each, and the summary of all while they are right."""
    made = {(method, seed): write_run(tmp_path, method, seed) for method in METHODS for seed in (0, 1)}
    return made, summary(root=tmp_path), tmp_path


def rewrite(run, change):
    change(run.predictions()).to_parquet(run.predictions_file)


def edit(run, name, change):
    path = run.folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def without(*keys):
    return lambda values: {key: value for key, value in values.items() if key not in keys}


BAD = {
    "an image twice": (
        lambda run: rewrite(run, lambda frame: pd.concat([frame, frame[:1]])),
        r"predictions\.parquet cannot be judged: it has image v\d+ more than once \(1 rows too many\)",
    ),
    "NaN": (
        lambda run: rewrite(run, lambda frame: frame.assign(**{"probability/mass": np.nan})),
        r"predictions\.parquet cannot be judged: 90 probabilities are no numbers, first that of mass",
    ),
    "a strange label": (
        lambda run: rewrite(run, lambda frame: frame.assign(**{"label/mass": 3.0})),
        r"predictions\.parquet cannot be judged: a label is 3; it must be 0, 1 or unknown",
    ),
    "a missing row": (
        lambda run: rewrite(run, lambda frame: frame[1:]),
        r"predictions\.parquet has other test images, patients or labels than .*/predictions\.parquet, "
        "another seed of the same method",
    ),
    "a missing row that is counted": (
        lambda run: (
            rewrite(run, lambda frame: frame[1:]),
            edit(run, "result.json", lambda values: {**values, "num_images": 90}),
        ),
        r"predictions\.parquet has 89 images; result\.json beside it counts 90",
    ),
    "cut off": (
        lambda run: run.predictions_file.write_bytes(run.predictions_file.read_bytes()[:99]),
        r"predictions\.parquet cannot be judged: ",
    ),
    "no predictions": (
        lambda run: run.predictions_file.unlink(),
        r"predictions\.parquet is missing\.",
    ),
    "a result without targets": (
        lambda run: edit(run, "result.json", without("targets")),
        r"result\.json has no targets: the run is of another version",
    ),
    "a config without a key": (
        lambda run: edit(run, "config.json", without("synthetic")),
        r"config\.yaml has no synthetic: the run is of another version",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_run_is_named_with_the_fix_and_left_out(runs, case):
    made, before, root = runs
    spoil, said = BAD[case]
    bad = made["refers", 1]
    spoil(bad)
    notes = {}
    after = summary(root=root, notes=notes)
    assert list(notes) == [bad.id]
    with pytest.warns(UserWarning, match=f"Run {bad.id} does not count: .*{said}.*fine-tune again"):
        summary(root=root)
    with pytest.warns(UserWarning, match=said):
        frame = findings(root=root)
    # Nothing else is affected: the other method is what it was, and this one has the other seed.
    rows = [one.set_index("method") for one in (before, after)]
    pd.testing.assert_series_equal(rows[0].loc["random"], rows[1].loc["random"])
    assert rows[1].loc["refers", "num_seeds"] == 1 and set(frame["method"]) == set(METHODS)


def test_a_result_of_another_version_is_a_marked_row(runs, capsys):
    made, _, root = runs
    bad = made["refers", 1]
    edit(bad, "result.json", lambda values: {**values, "auroc": 0.7})
    row = table(root).set_index("id").loc[bad.id]
    assert row["state"] == "unreadable"
    assert f"{bad.folder / 'result.json'} is of another version: auroc is 0.7" in row["reason"]
    assert "Remove the folder and fine-tune again." in row["reason"]
    print_results(root=root)
    printed = capsys.readouterr().out
    assert f"{bad.id}: unreadable: " in printed and "Difference from random" in printed


def test_a_comparator_with_other_test_images_is_no_comparator(runs, capsys):
    made, before, root = runs
    for seed in (0, 1):
        rewrite(made["random", seed], lambda frame: frame.assign(view_id="other" + frame["view_id"]))
    notes = {}
    after = summary(root=root, notes=notes).set_index("method")
    (said,) = notes.values()
    assert str(made["refers", 0].predictions_file) in said and str(made["random", 0].predictions_file) in said
    assert "has other test images, patients or labels than" in said and "there is no difference" in said
    assert after["num_seeds"].tolist() == [2, 2] and after["difference"].isna().all()
    assert after["auroc"].tolist() == before.set_index("method")["auroc"].tolist()
    print_results(root=root)
    printed = capsys.readouterr().out
    assert f"not counted: {said}" in printed and "Difference from" not in printed


def test_targets_with_one_class_only_have_no_auroc_and_say_so(runs, capsys):
    made, _, root = runs
    for run in made.values():
        rewrite(run, lambda frame: frame.assign(**{"label/mass": 0.0, "label/effusion": 0.0}))
    notes = {}
    frame = summary(root=root, notes=notes)
    assert frame["auroc"].isna().all() and len(notes) == 4
    assert all("every target has one class only among the test images" in said for said in notes.values())
    print_results(root=root)
    assert "nan" in capsys.readouterr().out


def test_one_target_with_one_class_only_is_left_out_of_the_mean(runs):
    made, _, root = runs
    for run in made.values():
        rewrite(run, lambda frame: frame.assign(**{"label/mass": 0.0}))
    notes = {}
    means = summary(root=root, notes=notes).set_index("method")["auroc"]
    alone = findings(root=root).set_index(["finding", "method"])["auroc"]
    assert means["refers"] == alone["effusion", "refers"] and np.isnan(alone["mass", "refers"])
    assert notes == {}


def test_a_changed_run_is_seen_by_the_next_look(runs):
    made, before, root = runs
    rewrite(made["refers", 0], lambda frame: frame.assign(**{"probability/mass": -frame["probability/mass"]}))
    after = summary(root=root)
    rows = [one.set_index("method").loc["refers", "auroc"] for one in (before, after)]
    assert rows[1] < rows[0] - 0.1
    (made["refers", 1].folder / "status.json").write_text(json.dumps({"status": "failed", "created": ""}))
    assert summary(root=root).set_index("method").loc["refers", "num_seeds"] == 1


def test_queries_pass_over_what_was_cut_off(runs):
    made, _, root = runs
    with (made["refers", 1].folder / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "train", "st')
    (made["random", 0].folder / "metrics.jsonl").write_text('{"kind": "train", "step": 1, "loss": "high"}\n')
    made["refers", 0].predictions_file.write_bytes(b"PAR1")
    counted = query("SELECT count(*) AS n FROM metrics WHERE step = 1", root)
    assert counted["n"][0] == 4
    assert query("SELECT count(DISTINCT run) AS n FROM predictions", root)["n"][0] == 3
