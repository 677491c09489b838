"""States of the cells of a sweep: finished, running, failed, missing; looked at again."""

import shutil

import pytest

from workbench.jobs import Job
from workbench.plan import plan
from workbench.run_config import identity
from workbench.runs import Run
from workbench.sweep_reading.run_index import STOPPED, RunIndex
from workbench.sweep_reading.watch import FAILED, FINISHED, MISSING, RUNNING, SweepWatch
from workbench.sweeps import cell_jobs, find_cells, read_sweep, run_sweep

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def one(tiny_sweep, tmp_path):
    """Return a sweep of one cell that nobody has run, with runs of its own."""
    file = tiny_sweep.with_values(
        tmp_path / "one.yaml", methods={"Random": {}}, label_ratios=[1.0], seeds=[7]
    )
    return read_sweep(file), tmp_path / "runs"


def state_of(watch):
    (cell,) = watch.cells
    return cell.found


def test_it_finds_what_the_sweep_finds(tiny_sweep):
    sweep, root = read_sweep(tiny_sweep.file), tiny_sweep.world.root
    watch = SweepWatch(sweep, root=root)
    expected = find_cells(sweep, root=root)
    assert [one.place for one in watch.cells] == [
        (one.target, one.method, one.label_ratio, one.seed) for one in expected
    ]
    for mine, other in zip(watch.cells, expected, strict=True):
        assert (mine.found.run and mine.found.run.id) == (other.outcome.run and other.outcome.run.id)
        if mine.found.run:
            assert mine.found.auroc == mine.found.run.result()["auroc"]["estimate"]
            assert 0 < mine.found.seconds < 600
    assert watch.counts() == {FINISHED: 16, RUNNING: 0, FAILED: 0, MISSING: 4}
    assert len(watch.finished_cells()) == 16 and len(watch.runs()) == 19


def test_plans_of_a_method_are_those_of_each_of_its_cells(tiny_sweep):
    sweep, root = read_sweep(tiny_sweep.file), tiny_sweep.world.root
    watch = SweepWatch(sweep, root=root)
    for job in cell_jobs(sweep, root=root).values():
        if isinstance(job, Job):
            assert watch._planned[job] == identity(plan(job.recipe, job.overrides, root=root))
    assert len(watch._plans.planned) == 4 + 3  # methods that can be fine-tuned, and their pre-trainings


def test_a_pretraining_that_cannot_be_says_why_and_its_cells_wait(tiny_sweep):
    watch = SweepWatch(read_sweep(tiny_sweep.file), root=tiny_sweep.world.root)
    assert watch.pretrainings["broken"].state == FAILED and "stepz" in watch.pretrainings["broken"].reason
    waiting = [cell.found for cell in watch.cells if cell.method == "broken"]
    assert {found.state for found in waiting} == {MISSING}
    assert all("its pre-training failed" in found.reason and "stepz" in found.reason for found in waiting)


def test_a_cell_runs_stops_fails_and_is_finished(one):
    sweep, root = one
    watch = SweepWatch(sweep, root=root)
    assert state_of(watch) == (MISSING, None, "", *state_of(watch)[3:])
    assert not watch.look()
    (job,) = cell_jobs(sweep, root=root).values()
    run = Run.create("tiny_finetune", plan(job.recipe, job.overrides, root=root), root)
    assert watch.look() and "nothing has run yet" in state_of(watch).reason
    with run.recording():
        assert watch.look() and state_of(watch).state == RUNNING
        assert not watch.look()  # time passes, and that is no news
    with pytest.raises(ArithmeticError), run.recording():
        raise ArithmeticError("loss is NaN")
    assert watch.look() and "loss is NaN" in state_of(watch).reason
    status = run.folder / "status.json"
    status.write_text(
        status.read_text().replace("failed", "running").replace("ArithmeticError: loss is NaN", "")
    )
    watch.look()
    assert (state_of(watch).state, state_of(watch).reason) == (FAILED, STOPPED)
    run_sweep(sweep, workers=0, root=root, progress=False)
    assert watch.look() and state_of(watch).state == FINISHED
    shutil.rmtree(root)
    assert not watch.look()  # what was finished is not looked at again


def test_half_written_folders_are_no_runs_and_cut_results_failures(one, tmp_path):
    sweep, root = one
    run_sweep(sweep, workers=0, root=root, progress=False)
    (run,) = SweepWatch(sweep, root=root).runs().values()
    (root / f"20990101-000000-tiny_finetune-{run.id[-4:]}").mkdir()
    assert state_of(SweepWatch(sweep, root=root)).state == FINISHED
    (run.folder / "result.json").write_text("{")
    found = state_of(SweepWatch(sweep, root=root))
    assert found.state == FAILED and "result.json" in found.reason


def test_what_could_not_be_planned_is_tried_again_when_asked(tiny_sweep, tmp_path):
    store = tmp_path / "moved"
    methods = {"Random": {"overrides": [f"store={store}"]}}
    file = tiny_sweep.with_values(tmp_path / "one.yaml", methods=methods, label_ratios=[1.0], seeds=[0])
    watch = SweepWatch(read_sweep(file), root=tmp_path)
    assert state_of(watch).state == FAILED and "moved" in state_of(watch).reason
    shutil.copytree(tiny_sweep.world.root.parent / "target", store)
    assert not watch.look()
    assert watch.look(again=True) and state_of(watch).state == MISSING


def test_no_folder_of_runs_is_no_run(tmp_path):
    index = RunIndex(tmp_path / "nowhere")
    index.look()
    assert index.find("0" * 64).state == MISSING
