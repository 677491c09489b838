"""Following a run: only new lines are read, half lines wait, resumed runs are read again."""

import json
import threading
import time

import numpy as np
import pytest

from workbench.widgets.training import MetricsFile, TrainingMonitor


def lines(*steps, kind="train", **values):
    return "".join(
        json.dumps({"kind": kind, "step": step, "loss": 1.0 / step, **values}) + "\n" for step in steps
    )


class Training:
    """A run in some state."""

    def __init__(self, folder, state="running"):
        self.folder, self.state = folder, state


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def append(path, text):
    with open(path, "a") as handle:
        handle.write(text)


def test_a_file_that_is_not_there_yet_is_empty(path):
    metrics = MetricsFile(path)
    assert not metrics.poll()
    assert metrics.table().empty


def test_only_whole_lines_are_read_and_each_once(path):
    metrics = MetricsFile(path)
    append(path, lines(1, 2) + lines(3)[:9])
    assert metrics.poll()
    assert metrics.table()["step"].tolist() == [1, 2]
    assert not metrics.poll()
    append(path, lines(3)[9:])
    assert metrics.poll()
    assert metrics.table()["step"].tolist() == [1, 2, 3]


def test_a_resumed_run_replaces_the_lines_it_writes_again(path):
    metrics = MetricsFile(path)
    append(path, lines(1, 2, 3, 4, images_per_second=9.0))
    metrics.poll()
    path.write_text(lines(1, 2, images_per_second=9.0))
    metrics.poll()
    append(path, lines(3, images_per_second=7.0))
    metrics.poll()
    table = metrics.table()
    assert table["step"].tolist() == [1, 2, 3, 4]
    assert table["images_per_second"].tolist() == [9.0, 9.0, 7.0, 9.0]


def test_training_and_validation_of_one_step_are_two_records(path):
    append(path, lines(5) + lines(5, kind="validation"))
    metrics = MetricsFile(path)
    metrics.poll()
    assert metrics.table()["kind"].tolist() == ["train", "validation"]


def test_the_caption_says_how_far_the_run_is(path):
    append(path, lines(4, images_per_second=81.3, data_wait_share=0.02) + lines(4, kind="validation"))
    monitor = TrainingMonitor(Training(path.parent))
    monitor.update()
    assert monitor.caption == (
        "running | step 4 | train loss 0.250 | validation loss 0.250 | 81 images/s | 2 % waiting for data"
    )


def test_the_caption_leaves_out_what_is_not_known_yet(path):
    append(path, lines(4))
    monitor = TrainingMonitor(Training(path.parent))
    monitor.update()
    assert monitor.caption == "running | step 4 | train loss 0.250"


def test_the_static_twin_draws_what_was_written(path):
    append(path, lines(1, 2))
    figure = TrainingMonitor(Training(path.parent, "finished"), note="phantom").static()
    np.testing.assert_allclose(figure.data[0].y, [1.0, 0.5])
    assert "phantom" in figure.layout.title.text


def test_the_static_twin_waits_for_the_end(path):
    training = Training(path.parent)

    def finish():
        append(path, lines(1, 2, 3))
        training.state = "finished"

    threading.Timer(0.3, finish).start()
    assert list(TrainingMonitor(training).static().data[0].x) == [1, 2, 3]


def test_the_widget_follows_the_file_until_the_run_is_over(path):
    training = Training(path.parent)
    box = TrainingMonitor(training).live()
    caption, figure = box.children
    assert len(figure.data) == 3  # one empty panel
    append(path, lines(1, 2, **{"loss/a": 0.5, "loss/b": 0.25}))
    wait_until(lambda: len(box.children[1].data) == 9)
    append(path, lines(3, **{"loss/a": 0.5, "loss/b": 0.25}))
    wait_until(lambda: list(box.children[1].data[0].x) == [1, 2, 3])
    before = box.children[1]
    training.state = "finished"
    wait_until(lambda: caption.value.startswith("finished | step 3"))
    wait_until(lambda: box.children[1] is not before)  # drawn anew: a slow browser loses what was moved
    assert list(box.children[1].data[0].x) == [1, 2, 3]


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
