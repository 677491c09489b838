"""A training whose objective carries a teacher and a queue stops and goes on bit for bit."""

import pytest
import torch
from tiny_training import TinyLoader, tiny_train

from lib.loops.checkpoint import load_state
from lib.objectives.c2l import C2L, C2LConfig
from lib.objectives.moco_v2 import MoCoV2, MoCoV2Config

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = {
    "embedding_width": 6,
    "queue_size": 16,
    "momentum": 0.9,
    "encoder": {
        "name": "radiograph_transformer",
        **dict(image_size=4, patch_size=2, width=8, depth=1, num_heads=2, mlp_width=8, dropout=0.2),
    },
}
KINDS = {
    "moco_v2": lambda: MoCoV2(MoCoV2Config(**SIZES)),
    "c2l": lambda: C2L(C2LConfig(loss="nce", **SIZES)),
}


class Stop(Exception):
    pass


class StoppingLoader(TinyLoader):
    def __init__(self, stop_after: int):
        super().__init__()
        self.batches_left = stop_after

    def epoch(self, epoch, start=0):
        for batch in super().epoch(epoch, start):
            self.batches_left -= 1
            if self.batches_left < 0:
                raise Stop
            yield batch


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("stop_after", [3, 12, 18])
def test_a_stopped_training_resumes_bit_equal(tmp_path, name, stop_after):
    _, whole = tiny_train(tmp_path / "whole", steps=20, make_objective=KINDS[name])
    with pytest.raises(Stop):
        tiny_train(
            tmp_path / "parts", steps=20, make_objective=KINDS[name], loader=StoppingLoader(stop_after)
        )
    _, parts = tiny_train(tmp_path / "parts", steps=20, make_objective=KINDS[name])
    saved = [
        folder / "checkpoints" / "best.safetensors" for folder in (tmp_path / "whole", tmp_path / "parts")
    ]
    assert saved[0].read_bytes() == saved[1].read_bytes()
    state = load_state(tmp_path / "parts" / "checkpoints" / "last.pt")["objective"]
    for key, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[key]) and torch.equal(value, state[key]), key
    assert whole.queue.position == (20 * 4 * (3 if name == "c2l" else 1)) % 16
    student, teacher = whole.encoder.patch_embedding.weight, whole.teacher_encoder.copy.patch_embedding.weight
    assert not torch.equal(student, teacher)
