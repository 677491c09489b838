import pytest
import torch
from tiny_training import TinyLoader, TinyObjective

from lib.loops.evaluate import mean_losses


class UnevenLoader(TinyLoader):
    """The last batch is a rest of one study."""

    def epoch(self, epoch, start=0):
        for step, batch in enumerate(super().epoch(epoch, start), start):
            if step == self.num_batches - 1:
                batch.images, batch.study_rows = batch.images[:1], batch.study_rows[:1]
            yield batch


def test_means_are_over_studies_not_over_batches():
    objective, loader = TinyObjective().eval(), UnevenLoader(num_batches=3)
    with torch.no_grad():
        means = mean_losses(objective, loader)
        parts = [(len(batch), objective(batch)) for batch in loader.epoch(0)]
    assert [size for size, _ in parts] == [4, 4, 1]
    for name in ("restoration", "smoothness"):
        expected = sum(size * float(losses[name]) for size, losses in parts) / 9
        assert means[f"loss/{name}"] == pytest.approx(expected, rel=1e-6)
    assert means["loss"] == pytest.approx(means["loss/restoration"] + means["loss/smoothness"])


def test_every_validation_sees_the_same():
    objective = TinyObjective().eval()
    with torch.no_grad():
        assert mean_losses(objective, TinyLoader()) == mean_losses(objective, TinyLoader())
