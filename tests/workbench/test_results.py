import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from tiny_results import TARGETS, write_run

from lib.metrics.statistics import paired_bootstrap_auroc
from workbench.results import findings, print_results, query, summary, table
from workbench.runs import Run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    for seed in (0, 1, 2):
        for label_ratio in (0.1, 1.0):
            write_run(root, "random", seed, label_ratio, signal=0.5)
            write_run(root, "refers", seed, label_ratio, signal=2.0)
    write_run(root, "moco", 0)
    write_run(root, "refers", 3, finished=False)
    return root


def area(run):
    frame = run.predictions()
    return np.mean([roc_auc_score(frame[f"label/{n}"], frame[f"probability/{n}"]) for n in TARGETS])


def runs_of(root, method, label_ratio):
    frame = table(root)
    rows = frame[
        (frame["method"] == method) & (frame["label_ratio"] == label_ratio) & (frame["state"] == "finished")
    ]
    return [Run(root / name) for name in rows["id"]]


def test_one_row_per_run(root):
    frame = table(root)
    assert len(frame) == 14 and frame["id"].is_unique
    assert frame["state"].value_counts().to_dict() == {"finished": 13, "failed": 1}
    assert frame[frame["state"] == "failed"]["reason"].tolist() == ["because"]
    assert set(frame["steps"]) == {7} and set(frame["auroc"]) == {0.5} and frame["accuracy"].isna().all()


def test_the_summary_is_computed_from_predictions_alone(root):
    frame = summary(root=root).set_index(["label_ratio", "method"])
    assert len(frame) == 5
    for label_ratio in (0.1, 1.0):
        row, base = frame.loc[(label_ratio, "refers")], frame.loc[(label_ratio, "random")]
        refers, random = (runs_of(root, name, label_ratio) for name in ("refers", "random"))
        areas = [area(run) for run in refers]
        assert row["num_seeds"] == 3 and row["num_patients"] == 45 and row["num_images"] == 90
        assert row["auroc"] == pytest.approx(np.mean(areas), abs=1e-12)
        assert row["spread"] == pytest.approx(np.std(areas, ddof=1), abs=1e-12)
        assert row["low"] < row["auroc"] < row["high"]
        assert row["difference"] == pytest.approx(row["auroc"] - base["auroc"], abs=1e-12)
        assert 0 < row["difference_low"] < row["difference"] < row["difference_high"]
        assert row["p_seeds"] < 0.05
        assert np.isnan(base["difference"]) and np.isnan(base["p_seeds"])

        frames = [[run.predictions().sort_values("view_id") for run in runs] for runs in (refers, random)]
        labels = frames[0][0][[f"label/{name}" for name in TARGETS]].to_numpy()
        stacks = [np.stack([one[[f"probability/{n}" for n in TARGETS]] for one in some]) for some in frames]
        paired = paired_bootstrap_auroc(labels, *stacks, frames[0][0]["patient_id"].to_numpy())
        assert (row["difference_low"], row["difference_high"]) == (paired.low, paired.high)
    alone = frame.loc[(0.1, "moco")]
    assert np.isnan(alone["spread"]) and np.isnan(alone["p_seeds"]) and not np.isnan(alone["difference"])


def test_another_comparator_and_chosen_runs(root):
    frame = summary(runs_of(root, "random", 0.1) + runs_of(root, "moco", 0.1), comparator="moco")
    assert frame["method"].tolist() == ["moco", "random"]
    assert np.isnan(frame["difference"][0]) and not np.isnan(frame["difference"][1])
    assert summary([]).empty and "difference_low" in summary([])


def test_findings_have_their_own_intervals_and_counts(root):
    frame = findings(root=root)
    assert len(frame) == 5 * 2
    row = (
        frame[(frame["method"] == "refers") & (frame["label_ratio"] == 1.0)].set_index("finding").loc["mass"]
    )
    predictions = [run.predictions() for run in runs_of(root, "refers", 1.0)]
    expected = np.mean([roc_auc_score(one["label/mass"], one["probability/mass"]) for one in predictions])
    assert row["auroc"] == pytest.approx(expected, abs=1e-12)
    assert row["num_positives"] == predictions[0]["label/mass"].sum() and row["num_cases"] == 90


def test_predictions_are_averaged_as_the_protocol_says(tmp_path):
    runs = [write_run(tmp_path, "refers", seed, average_by="patient") for seed in (0, 1)]
    areas = []
    for run in runs:
        cases = run.predictions().groupby("patient_id")
        for name in TARGETS:
            truth, value = cases[f"label/{name}"].max(), cases[f"probability/{name}"].mean()
            areas.append(roc_auc_score(truth, value))
    row = summary(runs).iloc[0]
    assert row["auroc"] == pytest.approx(np.mean(areas), abs=1e-12)
    assert row["num_patients"] == row["num_images"] == 45
    assert findings(runs)["num_cases"].tolist() == [45, 45]
    assert np.mean([area(run) for run in runs]) != pytest.approx(row["auroc"], abs=1e-3)


def test_exclusive_classes_have_an_accuracy(tmp_path, root):
    runs = [write_run(tmp_path, "refers", seed, task="multi_class") for seed in (0, 1)]
    frames = [run.predictions() for run in runs]
    right = [(one["probability/mass"] > one["probability/effusion"]) == one["label/mass"] for one in frames]
    row = summary(runs).iloc[0]
    assert row["accuracy"] == pytest.approx(np.mean(right), abs=1e-12)
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert set(table(tmp_path)["accuracy"]) == {0.7}
    assert "accuracy" not in summary(root=root)  # of targets that do not exclude each other


def test_a_mean_never_mixes_two_pretrainings(tmp_path):
    for init_id, signal in (("old", 0.0), ("new", 3.0)):
        for seed in (0, 1) if init_id == "old" else (0,):
            write_run(tmp_path, "refers", seed, signal=signal, init_id=init_id)
    frame = summary(root=tmp_path)
    assert frame["num_seeds"].tolist() == [1] and frame["auroc"][0] > 0.9


def test_sql_over_runs_metrics_and_predictions(root):
    frame = query("SELECT method, count(*) AS n FROM runs GROUP BY method ORDER BY method", root)
    assert frame.to_dict("list") == {"method": ["moco", "random", "refers"], "n": [1, 6, 7]}
    joined = query(
        'SELECT method, avg("probability/mass") AS mean FROM predictions JOIN runs ON run = id '
        "WHERE state = 'finished' GROUP BY method ORDER BY mean DESC",
        root,
    )
    assert joined["method"].tolist()[0] == "refers" and joined["method"].tolist()[-1] == "random"
    assert query("SELECT count(DISTINCT run) AS n FROM metrics WHERE loss = 0.5", root)["n"][0] == 14
    with pytest.raises(ValueError, match="Tables: runs, metrics, predictions"):
        query("SELECT * FROM result", root)


def test_what_is_printed(root, tmp_path, capsys):
    print_results(root=root)
    printed = capsys.readouterr().out
    assert "refers" in printed and "Difference from random" in printed and "-finetune-tiny-" in printed
    print_results("SELECT 6 * 7 AS answer", root=root)
    assert "42" in capsys.readouterr().out
    print_results(root=tmp_path / "none")
    assert "No runs below" in capsys.readouterr().out


def test_the_printed_table_has_the_numbers_of_the_summary(root, capsys):
    print_results(root=root)
    lines = capsys.readouterr().out.splitlines()
    frame = summary(root=root).set_index(["label_ratio", "method"])
    few, all_ = frame.loc[(0.1, "refers")], frame.loc[(1.0, "refers")]
    rows = [line.split("  ") for line in lines if line.startswith("refers ")]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells[0] == ["refers"] + [
        f"{one.auroc:.3f} +- {one.spread:.3f} [{one.low:.3f}, {one.high:.3f}]" for one in (few, all_)
    ]
    assert cells[1] == ["refers"] + [
        f"{one.difference:+.3f} [{one.difference_low:+.3f}, {one.difference_high:+.3f}] p {one.p_seeds:.2g}"
        for one in (few, all_)
    ]
    order = [line.split()[0] for line in lines if line.split("  ")[0] in ("random", "moco", "refers")]
    assert order == ["random", "moco", "refers", "moco", "refers"]  # the comparator first


@pytest.mark.parametrize("name", ["table.md", "table.tex", "table.txt", "table.csv"])
def test_tables_are_written_in_the_format_that_the_file_is_named_for(root, tmp_path, capsys, name):
    print_results(root=root, out=tmp_path / name)
    assert f"Written: {tmp_path / name}" in capsys.readouterr().out
    written = (tmp_path / name).read_text()
    if name.endswith("csv"):
        frame = pd.read_csv(tmp_path / name)
        pd.testing.assert_frame_equal(frame, summary(root=root), check_dtype=False)
        return
    best = {"md": "| **0.9", "tex": r"& \textbf{0.9", "txt": "  0.9"}[name.rpartition(".")[2]]
    row = next(line for line in written.splitlines() if "refers" in line)
    assert best in row and "Difference from random" in written


def test_another_comparator_is_named_and_one_that_is_not_there_is_said(root, capsys):
    print_results(root=root, comparator="moco", form="markdown")
    assert "Difference from moco" in capsys.readouterr().out
    print_results(root=root, comparator="mocco", form="markdown")
    printed = capsys.readouterr().out
    assert "No method is called mocco" in printed and "Known: moco, random, refers." in printed


def test_an_unknown_format_is_refused(root, tmp_path):
    with pytest.raises(ValueError, match="Unknown format 'html'. Known: text, markdown, latex, csv"):
        print_results(root=root, form="html")
    with pytest.raises(ValueError, match="table.html ends with ..html.; give a file that"):
        print_results(root=root, out=tmp_path / "table.html")
    with pytest.raises(ValueError, match="not the answer to --sql"):
        print_results("SELECT id FROM runs", root, out=tmp_path / "table.csv")
