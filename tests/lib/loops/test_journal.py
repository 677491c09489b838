import json
import math

import pytest
import torch

from lib.loops.journal import Journal, LossWindow, NonFiniteLoss


def test_lines_are_there_at_once_and_are_json(tmp_path):
    journal = Journal(tmp_path / "metrics.jsonl")
    journal.write({"step": 1, "loss": math.nan, "auroc": 0.5})
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {"step": 1, "loss": None, "auroc": 0.5}
    size = journal.size()
    journal.write({"step": 2})
    journal.truncate(size)
    journal.write({"step": 3})
    rows = [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows == [1, 3]
    with pytest.raises(ValueError, match="was edited"):
        journal.truncate(10_000)
    journal.close()


def test_a_full_disk_is_named_and_what_was_written_before_stays(tmp_path, limited_files):
    journal = Journal(tmp_path / "metrics.jsonl")
    with pytest.raises(OSError, match=r"while writing .*metrics\.jsonl\. Free some space"):
        for step in range(3000):
            journal.write({"step": step, "note": "x" * 60})
    journal.close()
    rows = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows[:-1]] == list(range(len(rows) - 1))


def losses(a, b):
    return {"a": torch.tensor(a), "b": torch.tensor(b)}


def test_means_over_the_window_and_a_state_in_its_middle():
    window = LossWindow(is_immediate=True)
    for step in range(3):
        window.add(step, losses(float(step), 1.0), torch.tensor(2.0), list)
    copy = LossWindow(is_immediate=True)
    copy.load(window.state(), torch.device("cpu"))
    for each in (window, copy):
        each.add(3, losses(7.0, 1.0), torch.tensor(6.0), list)
        assert each.take_means() == {"loss": 3.5, "loss/a": 2.5, "loss/b": 1.0, "gradient_norm": 3.0}
    window.add(4, losses(1.0, 1.0), torch.tensor(0.0), list)
    assert window.take_means()["loss"] == 2.0


def test_a_device_without_immediate_looks_names_the_first_bad_step_afterwards():
    window = LossWindow(is_immediate=False)
    for step in range(10):
        bad = step in (6, 8)
        window.add(
            step, losses(math.inf if bad else 1.0, 1.0), torch.tensor(1.0), lambda step=step: [f"s{step}"]
        )
        if step == 4:
            window.check()
    with pytest.raises(NonFiniteLoss, match=r"Step 6: a inf, b 1, gradient norm 1\. .*batch: s6\."):
        window.check()


def test_a_gradient_that_overflows_is_seen_although_the_loss_is_finite():
    window = LossWindow(is_immediate=True)
    with pytest.raises(NonFiniteLoss, match="gradient norm nan"):
        window.add(0, losses(1.0, 1.0), torch.tensor(math.nan), lambda: ["s"])
